"""One process owns a data directory, and says how it can be reached.

The lock is the operating system's, so it ends with its process. `server.json` beside it holds the owner's address for
as long as the owner listens.
"""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from kb.errors import DataDirectoryLocked, StorageError

LOCK_NAME = "lock"
ADDRESS_NAME = "server.json"


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that owns a data directory and listens for requests."""

    pid: int
    url: str


class DataDirectoryLock:
    """The right to write to a data directory.

    Args:
        home: The data directory; made if it is not there.

    Raises:
        DataDirectoryLocked: Another process has it.
        StorageError: The folder cannot be made or written to.
    """

    def __init__(self, home: Path) -> None:
        self._address = home / ADDRESS_NAME
        try:
            home.mkdir(parents=True, exist_ok=True)
            self._lock = FileLock(home / LOCK_NAME, timeout=0)
            self._lock.acquire()
            # A crash leaves it behind, and the process id in it may belong to somebody else by now.
            self._address.unlink(missing_ok=True)
        except Timeout as error:
            owner = find_owner(home)
            where = f"process {owner.pid}, listening at {owner.url}," if owner else "another process"
            raise DataDirectoryLocked(
                f"{where} has the data directory {home} open",
                "ask it over HTTP, stop it, or choose another data directory with --home or KB_HOME",
            ) from error
        except OSError as error:
            raise StorageError(
                f"the data directory {home} cannot be used: {error.strerror}",
                "check disk and permissions, or choose another one with --home or KB_HOME",
            ) from error

    def announce(self, url: str) -> None:
        """Tells other processes of this user where the owner listens."""
        self._address.write_text(json.dumps({"pid": os.getpid(), "url": url}), "utf-8")

    def release(self) -> None:
        """Gives the data directory back."""
        if self._lock.is_locked:
            self._address.unlink(missing_ok=True)
            self._lock.release()


def find_owner(home: Path) -> Owner | None:
    """The process that listens for a data directory, or None."""
    try:
        noted = json.loads((home / ADDRESS_NAME).read_text("utf-8"))
        owner = Owner(int(noted["pid"]), str(noted["url"]))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return owner if psutil.pid_exists(owner.pid) else None

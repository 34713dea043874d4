"""One process owns a data directory, and says how it can be reached.

The lock is the operating system's, so it ends with its process. `server.json` beside it holds the owner's address for
as long as the owner listens. A crash leaves it behind, and process id and port may be a stranger's by then: it is
believed only while the lock is held and the process that it names really listens where it says. No other user of the
machine may look into it.
"""

import contextlib
import ipaddress
import json
import logging
import os
import re
import socket
import stat
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import psutil
from filelock import FileLock, Timeout

from kb.errors import DataDirectoryLocked, StorageError

logger = logging.getLogger(__name__)

CATALOG_NAME = "catalog.sqlite3"
CONVERSATIONS_NAME = "conversations.sqlite3"
LOCK_NAME = "lock"
ADDRESS_NAME = "server.json"
_LOCK_SECONDS = 0.2  # for `find_owner` of another process, which takes the lock for a moment
_LARGEST_ADDRESS_CHARS = 500
_FILE_MODE, _FOLDER_MODE, _OTHERS = 0o600, 0o700, 0o077
_OWN_NAME = re.compile(
    r"lock|tokens\.(json|new)|audit\.jsonl(\.1)?|server\.json|in_hand\.json|kb\.toml|evaluations\.jsonl|(catalog|conversations)\.sqlite3(-wal|-shm)?|chroma|chroma-owner|\.importing"
)


@dataclass(frozen=True, slots=True)
class Owner:
    """The process that owns a data directory and listens for requests."""

    pid: int
    url: str


def own_names(names: Collection[str]) -> frozenset[str]:
    """Of the names in a folder, those that the service has written there; none where it is no data directory."""
    if LOCK_NAME not in names or CATALOG_NAME not in names:
        return frozenset()
    return frozenset(filter(_OWN_NAME.fullmatch, names))


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
            home.mkdir(_FOLDER_MODE, parents=True, exist_ok=True)
            self._lock = FileLock(home / LOCK_NAME, _LOCK_SECONDS, _FILE_MODE)
            self._lock.acquire(poll_interval=0.02)
            self._address.unlink(missing_ok=True)
        except Timeout as error:
            owner = find_owner(home)
            raise DataDirectoryLocked(
                f"process {owner.pid}, listening at {owner.url}, has the data directory {home} open"
                if owner
                else f"another process has the data directory {home} open and does not say where it listens",
                "ask it over HTTP, stop it, or choose another data directory with --home or KB_HOME",
            ) from error
        except OSError as error:
            raise StorageError(
                f"the data directory {home} cannot be used: {error.strerror}",
                "check disk and permissions, or choose another one with --home or KB_HOME",
            ) from error

    def announce(self, url: str) -> None:
        """Tells other processes of this user where the owner listens."""
        self._address.touch(_FILE_MODE)
        self._address.write_text(json.dumps({"pid": os.getpid(), "url": url}), "utf-8")

    def release(self) -> None:
        """Gives the data directory back."""
        if self._lock.is_locked:
            self._address.unlink(missing_ok=True)
            self._lock.release()


def close_to_others(home: Path) -> None:
    """Takes from other users of the machine what they may do in a data directory; where that cannot be, says so.

    A folder that holds other things, too, may be meant for others, and stays as it is but for what is ours in it.

    Args:
        home: Exists.
    """
    if os.name != "posix":
        return
    home = home.resolve()
    content = list(home.iterdir())
    own = [path for path in content if _OWN_NAME.fullmatch(path.name)]
    is_shared = len(own) < len(content)
    closable = [path for path in (own if is_shared else [home, *own]) if _is_open(path)]
    for path in closable:
        with contextlib.suppress(OSError):
            path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_OTHERS)
    if left := list(filter(_is_open, [home, *own])):
        why = "it holds other things, too" if is_shared else "this user cannot change that"
        names = ", ".join(map(str, left))
        logger.warning("other users of this machine may look into %s: %s; see KB_HOME", names, why)
    elif closable:
        logger.info("other users of this machine could look into %s; now only you can", home)


def _is_open(path: Path) -> bool:
    with contextlib.suppress(OSError):
        return not path.is_symlink() and bool(path.stat().st_mode & _OTHERS)
    return False


def find_owner(home: Path) -> Owner | None:
    """The process that has a data directory open and listens for requests; None if there is none, or that is not sure.

    Who is sent the user's token must be the owner. Each owner removes `server.json` when it takes the lock, so while
    the lock is held the file is the owner's; and the operating system says whether that process has the port. A name in
    the URL becomes the address that the owner listens on, as others may have the same port on another one.
    """
    if not (home / ADDRESS_NAME).exists() or not _is_held(home / LOCK_NAME):
        return None
    try:
        with (home / ADDRESS_NAME).open(encoding="utf-8") as file:
            noted = json.loads(file.read(_LARGEST_ADDRESS_CHARS))
        return _listening(int(noted["pid"]), str(noted["url"]))
    except (OSError, ValueError, KeyError, TypeError, ArithmeticError, psutil.Error):
        return None


def _is_held(lock: Path) -> bool:
    try:
        FileLock(lock, mode=_FILE_MODE).acquire(blocking=False).lock.release()
    except Timeout:
        return True
    except OSError:
        pass
    return False


def _listening(pid: int, noted_url: str) -> Owner | None:
    url = urlsplit(noted_url)
    if url.scheme != "http" or not url.hostname or not url.port:
        return None
    listeners = psutil.Process(pid).net_connections("tcp")
    own = {each.laddr.ip for each in listeners if each.status == psutil.CONN_LISTEN and each.laddr.port == url.port}
    for entry in socket.getaddrinfo(url.hostname, url.port) if own else ():
        address = str(entry[4][0])
        everywhere = "::" if ":" in address else "0.0.0.0"
        if address in own or (everywhere in own and ipaddress.ip_address(address).is_loopback):
            return Owner(pid, f"http://[{address}]:{url.port}" if ":" in address else f"http://{address}:{url.port}")
    return None

"""What is in a watched folder: one walk, one `stat` a file. Reads no content but to hash it.

Hidden files and folders are passed over, and so are links that lead out of the folder. A name that is no valid text
is listed with `UNREADABLE_CHARACTER` in the place of the bytes that are wrong: so it can be shown, but not opened.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from ingest.loaders import supported
from kb.errors import UnreadableFile
from kb.types import FileVersion

UNREADABLE_CHARACTER = "\N{REPLACEMENT CHARACTER}"

_LATEST_NS = 2**63 - 1
"""The last time, in the year 2262, that the catalog can hold; file systems know later ones."""


def list_files(root: Path) -> list[FileVersion]:
    """Lists the files in a folder that have a loader, without their hashes.

    Args:
        root: Absolute.

    Raises:
        OSError: The folder itself cannot be read. A folder below it that cannot is passed over.
    """
    os.scandir(root).close()  # os.walk would be silent
    return [file for path in _walk(root) if (file := stat_file(root, path))]


def is_reachable(folder: Path) -> bool:
    """Whether a folder is there and can be read."""
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True


def stat_file(root: Path, path: Path) -> FileVersion | None:
    """The state of one file as it is now, without its hash; None if it is gone or no regular file."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return FileVersion(
        str(root), readable(path.relative_to(root).as_posix()), found.st_size, min(found.st_mtime_ns, _LATEST_NS)
    )


def readable(name: str) -> str:
    """A name of a file, with `UNREADABLE_CHARACTER` in the place of bytes that are no text.

    Such bytes reach Python as lone surrogates, which neither the catalog nor JSON can hold.
    """
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def hash_file(path: Path) -> str:
    """SHA-256 of a file's bytes, in hex.

    Raises:
        UnreadableFile: The file is gone, or may not be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise UnreadableFile(
            f"the file cannot be read: {error.strerror}", "check that it is there, and who may read it"
        ) from error


def outermost(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Folders without those that lie inside another of them, so that no file is seen twice; in the order given."""
    unique = tuple(dict.fromkeys(folders))
    return tuple(
        folder for folder in unique if not any(folder != other and folder.is_relative_to(other) for other in unique)
    )


def _walk(root: Path) -> Iterator[Path]:
    for parent, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and supported(path) and _stays_inside(root, path):
                yield path


def _stays_inside(root: Path, path: Path) -> bool:
    return not path.is_symlink() or Path(os.path.realpath(path)).is_relative_to(os.path.realpath(root))

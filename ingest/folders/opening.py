"""Opens files of a watched folder, and nothing else, whoever changes the folder meanwhile.

Who may write into a folder can put a link, a pipe or a device in the place of a file after it was looked at. So links
are resolved first, and then each part of the path is opened in the one before it, where none may be a link any more.
What was opened is what is read: never by its path again, and never more than it held then.
"""

import errno
import hashlib
import os
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from kb.errors import UnreadableFile

_PIECE_BYTES = 1_000_000


def open_file(root: Path, source: str) -> BinaryIO:
    """Opens a regular file for reading; links are followed to where they lead, if that is below the folder.

    Args:
        source: Path below the folder.

    Raises:
        OSError: It is gone, may not be read, leads out of the folder, or is no regular file.
    """
    real_root, real = os.path.realpath(root), Path(os.path.realpath(root / source, strict=True))
    if not real.is_relative_to(real_root):
        raise OSError(errno.EXDEV, "it leads out of the folder")
    descriptor = _descend(real_root, real.relative_to(real_root).parts)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise


@contextmanager
def opened_folder(root: Path, names: Sequence[str]) -> Iterator[int | str]:
    """Opens a folder for `os.scandir`; its entries can be looked at until the block ends.

    Args:
        names: Its path below the root, none of them a link.

    Raises:
        OSError: It is gone, may not be read, or is a link now.
    """
    path = root.joinpath(*names)
    path.lstat()  # else a path that is too long for everything else could be listed
    if sys.platform == "win32":
        yield str(path)
        return
    descriptor = _descend(str(root), names, _FOLDER)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def read_file(root: Path, source: str, max_bytes: int) -> bytes:
    """The bytes that a file holds when it is opened.

    Raises:
        OSError: See `open_file`; or there are more than `max_bytes`.
    """
    with open_file(root, source) as file:
        return file.read(_size_bytes(file, max_bytes))


def hash_file(root: Path, source: str, max_bytes: int) -> str:
    """SHA-256 of the bytes that a file holds when it is opened, in hex.

    Raises:
        UnreadableFile: The file cannot be opened, or there are more than `max_bytes`.
    """
    digest = hashlib.sha256()
    try:
        with open_file(root, source) as file:
            left = _size_bytes(file, max_bytes)
            while piece := file.read(min(left, _PIECE_BYTES)):
                digest.update(piece)
                left -= len(piece)
    except OSError as error:
        raise UnreadableFile(
            f"the file cannot be read: {error.strerror}", "check that it is there, and who may read it"
        ) from error
    return digest.hexdigest()


def _size_bytes(file: BinaryIO, max_bytes: int) -> int:
    size = os.fstat(file.fileno()).st_size
    if size > max_bytes:
        raise OSError(errno.EFBIG, f"it has more than {max_bytes:,} bytes")
    return size


if sys.platform == "win32":

    def _descend(root: str, names: Sequence[str], last: int = 0) -> int:
        """Nothing can be opened within a folder there: what is seen just before is believed."""
        path = Path(root, *names)
        if not stat.S_ISREG(path.lstat().st_mode):
            raise OSError(errno.EINVAL, "it is not a regular file")
        return os.open(path, os.O_RDONLY | os.O_BINARY)

else:
    _FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
    _THROUGH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW  # it need not be readable
    _FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY  # a pipe would keep us waiting

    def _descend(root: str, names: Sequence[str], last: int = _FILE) -> int:
        """Opens what a path leads to, part by part; only the root itself may be reached through links."""
        descriptor = os.open(root, os.O_RDONLY | os.O_DIRECTORY)
        for number, name in enumerate(names, start=1):
            above = descriptor
            try:
                descriptor = os.open(name, last if number == len(names) else _THROUGH, dir_fd=above)
            finally:
                os.close(above)
        return descriptor

"""Puts a file into a watched folder without ever replacing another one.

The bytes go to a hidden file first, which no scan sees, and appear under their name all at once. The hidden file is
locked while it is written: one that is not was left behind by a process that was killed.
"""

import contextlib
import os
import re
import secrets
import shutil
import stat
import sys
import unicodedata
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO

from ingest.folders.opening import hash_file, open_file
from ingest.formats.registry import supported
from kb.errors import InvalidRequest, StorageError, UnreadableFile, UnsupportedType

_FORBIDDEN = re.compile(r'[<>:"|?*\\/\ud800-\udfff\ufffd]')  # the last are bytes that are no text
_UNSEEN_CATEGORIES = {"Cc", "Cf", "Zl", "Zp"}
_JOINERS = "\u200c\u200d"  # Persian and emoji are written with them
_MAX_NAME_BYTES = 200
_HIDDEN_NAME = re.compile(r"\.incoming-[a-z0-9_]{8}")


def place(folder: Path, name: str, content: BinaryIO) -> Path:
    """Copies a file into a folder.

    A file of the same name with other content is kept: the new one gets a number. The same content again is left as
    it is.

    Args:
        folder: Not made if it is not there: its drive may be away, and an empty folder would take its place.
        name: As the user calls it; only its last part counts.
        content: Read to its end.

    Returns:
        Where it is now.

    Raises:
        InvalidRequest: The name cannot be used, or characters in it would not be seen.
        UnsupportedType: No loader reads such files.
        StorageError: The folder is not there, or cannot be written to.
    """
    target = folder / clean_name(name)
    if not supported(target):
        raise UnsupportedType(f"{target.name!r} is of a type that cannot be read", "the README lists what can be read")
    hidden = folder / f".incoming-{secrets.token_hex(4)}"
    try:
        with hidden.open("xb") as copy:
            try:
                with contextlib.suppress(OSError):  # not each file system has locks
                    _lock(copy)
                shutil.copyfileobj(content, copy)
                copy.flush()
                os.fsync(copy.fileno())
                return _appear(hidden, target)
            finally:
                hidden.unlink(missing_ok=True)
    except OSError as error:
        raise StorageError(
            f"{target} cannot be written: {error.strerror}", "check free space and permissions of the folder"
        ) from error


def remove_leftovers(folder: Path) -> None:
    """Removes what `place` was writing into a folder when its process was killed."""
    with contextlib.suppress(OSError):  # the folder may be away, or not ours to write to
        for path in [path for path in folder.iterdir() if _HIDDEN_NAME.fullmatch(path.name)]:
            with contextlib.suppress(OSError):
                _remove_if_left_behind(path)


def clean_name(name: str) -> str:
    """The last part of a path, without characters that some file system forbids.

    Raises:
        InvalidRequest: Nothing is left, or characters in it would not be seen.
    """
    if any(unicodedata.category(char) in _UNSEEN_CATEGORIES and char not in _JOINERS for char in name):
        raise InvalidRequest(f"there are characters in the name {name!r} that cannot be seen", "rename the file")
    last = PurePath(PurePosixPath(name.replace("\\", "/")).name)
    stem = _FORBIDDEN.sub("_", last.stem).strip(" .")
    while len(stem.encode()) > _MAX_NAME_BYTES:
        stem = stem[:-1]
    if not stem:
        raise InvalidRequest(f"{name!r} is no name for a file", "give the file a name with letters or digits")
    return stem + last.suffix


def _appear(hidden: Path, target: Path) -> Path:
    number = 1
    candidate = target
    while True:
        try:
            candidate.touch(exist_ok=False)  # claims the name; what is put there next is whole
            return hidden.replace(candidate)
        except FileExistsError:
            if _same_content(hidden, candidate):
                return candidate
            number += 1
            candidate = target.with_stem(f"{target.stem} ({number})")


def _same_content(one: Path, other: Path) -> bool:
    size = one.stat().st_size
    try:
        return hash_file(other.parent, other.name, size) == hash_file(one.parent, one.name, size)
    except UnreadableFile:  # larger, no file, or not one of this folder
        return False


def _lock(copy: BinaryIO) -> None:
    if sys.platform != "win32":  # there, nobody can remove a file that is open
        import fcntl

        fcntl.flock(copy, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _remove_if_left_behind(path: Path) -> None:
    """Removes a file unless a process writes to it; a file of somebody else's may have such a name, and stays."""
    found = path.lstat()
    if not stat.S_ISREG(found.st_mode) or (sys.platform != "win32" and found.st_uid != os.geteuid()):
        return
    with open_file(path.parent, path.name) as copy:
        _lock(copy)
        path.unlink()

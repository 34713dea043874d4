"""Puts a file into a watched folder without ever replacing another one.

The bytes go to a hidden file first, which no scan sees, and appear under their name all at once.
"""

import os
import re
import shutil
import tempfile
from pathlib import Path, PurePath, PurePosixPath
from typing import BinaryIO

from ingest.folders.listing import hash_file
from ingest.formats.registry import supported
from kb.errors import InvalidRequest, StorageError, UnsupportedType

_FORBIDDEN = re.compile(r'[\x00-\x1f<>:"|?*\\/\ud800-\udfff\ufffd]')  # the last are bytes that are no text
_MAX_NAME_BYTES = 200


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
        InvalidRequest: The name cannot be used.
        UnsupportedType: No loader reads such files.
        StorageError: The folder is not there, or cannot be written to.
    """
    target = folder / clean_name(name)
    if not supported(target):
        raise UnsupportedType(
            f"{target.name!r} is of a type that cannot be read", "PDF, Markdown and plain text files can be added"
        )
    try:
        with tempfile.NamedTemporaryFile(dir=folder, prefix=".incoming-", delete=False) as copy:
            hidden = Path(copy.name)
            try:
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


def clean_name(name: str) -> str:
    """The last part of a path, without characters that some file system forbids.

    Raises:
        InvalidRequest: Nothing is left.
    """
    last = PurePath(PurePosixPath(name.replace("\\", "/")).name)
    stem = _FORBIDDEN.sub("_", last.stem).strip(" .")
    while len(stem.encode()) > _MAX_NAME_BYTES:
        stem = stem[:-1]
    if not stem:
        raise InvalidRequest(f"{name!r} is no name for a file", "give the file a name with letters or digits")
    return stem + last.suffix


def _appear(hidden: Path, target: Path) -> Path:
    hidden.chmod(0o644)
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
    return other.is_file() and one.stat().st_size == other.stat().st_size and hash_file(one) == hash_file(other)

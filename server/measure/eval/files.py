"""Files that a user names: read, and known again by their hash."""

import hashlib
from pathlib import Path

from server.client.service import opened


def read_bytes(path: Path) -> bytes:
    """Reads a whole file.

    Raises:
        InvalidRequest: It is not there, or cannot be read.
    """
    with opened(path) as file:
        return file.read()


def sha256(*paths: Path) -> str:
    """One hash over the content of files, in hex.

    Raises:
        InvalidRequest: One is not there, or cannot be read.
    """
    digest = hashlib.sha256()
    for path in paths:
        digest.update(hashlib.sha256(read_bytes(path)).digest())
    return digest.hexdigest()

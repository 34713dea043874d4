"""Writes a file so that whoever reads it sees all of it or nothing."""

import tempfile
from pathlib import Path


def write_atomically(path: Path, text: str) -> None:
    """Writes a text, in UTF-8, in place of a file, which need not be there, nor its folder.

    Raises:
        OSError: It cannot be written; then the file is as it was.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=path.parent, prefix=".part-", delete=False) as file:
        scratch = Path(file.name)
    try:
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
    except OSError:
        scratch.unlink(missing_ok=True)
        raise

"""Files that are written as a whole or not at all."""

from pathlib import Path

import pytest

from kb.atomic_write import write_atomically


def test_file_is_written_and_replaced_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "new" / "kept.json"
    for text in ("first", "第二"):
        write_atomically(path, text)
        assert path.read_text("utf-8") == text
    assert list(path.parent.iterdir()) == [path]


def test_what_cannot_be_written_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "kept.json"
    path.mkdir()
    with pytest.raises(OSError, match="irectory"):
        write_atomically(path, "text")
    assert list(tmp_path.iterdir()) == [path]

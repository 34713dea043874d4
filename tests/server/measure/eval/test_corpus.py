import tempfile
from pathlib import Path

import pytest

from kb.errors import InvalidRequest, StorageError
from server.measure.eval.corpus import locate, workplace, write_articles
from server.measure.eval.squad import Article

ONE, TWO = Article("One", ("First.", "Second.")), Article("", ("Third.",))


def test_paragraphs_are_located_whatever_white_space_is_between_their_words() -> None:
    text = "# T\n\nOne  two\nthree.\n\nFour five."
    places = locate(text, ["One two three.", "Four\tfive."])
    assert [text[slice(*place)] for place in places if place] == ["One  two\nthree.", "Four five."]


def test_chinese_paragraphs_are_located() -> None:
    assert locate("# 题\n\n黑豹队 防守。\n\n第二段。", ["黑豹队防守。", "第二段。"]) == [(5, 12), (14, 18)]


def test_equal_paragraphs_are_located_one_after_the_other() -> None:
    assert locate("Same.\n\nOther.\n\nSame.", ["Same.", "Same."]) == [(0, 5), (15, 20)]


def test_paragraph_that_is_not_there_is_passed_over() -> None:
    assert locate("One. Three.", ["One.", "Two.", " ", "Three."]) == [(0, 4), None, None, (5, 11)]


def test_temporary_workplace_is_gone_also_after_an_interruption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with pytest.raises(KeyboardInterrupt), workplace(None) as place:
        (place / "file").write_text("x")
        raise KeyboardInterrupt
    assert not list(tmp_path.iterdir())


def test_kept_workplace_is_the_same_the_next_time(tmp_path: Path) -> None:
    for _ in range(2):
        with workplace(tmp_path / "new" / "base") as place:
            (place / "file").touch()
    assert (tmp_path / "new" / "base" / "file").exists()


def test_folder_with_other_files_is_not_taken(tmp_path: Path) -> None:
    (tmp_path / "thesis.md").write_text("x")
    with pytest.raises(InvalidRequest, match="holds other files"), workplace(tmp_path):
        pass
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.md"]


def test_workplace_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="cannot be used"), workplace(tmp_path / "file"):
        pass


def test_unchanged_articles_are_not_written_again_and_others_go(tmp_path: Path) -> None:
    folder = write_articles(tmp_path, {"0-a": [ONE, TWO], "1-b": [TWO]})
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.md"))
    assert files == ["0-a/00001.md", "0-a/00002.md", "1-b/00001.md"]
    assert (folder / "0-a/00001.md").read_text() == "# One\n\nFirst.\n\nSecond.\n"
    written = (folder / "0-a/00001.md").stat().st_mtime_ns
    write_articles(tmp_path, {"0-a": [ONE]})
    assert list(folder.rglob("*.md")) == [folder / "0-a/00001.md"]
    assert (folder / "0-a/00001.md").stat().st_mtime_ns == written
    write_articles(tmp_path, {"0-a": [TWO]})
    assert (folder / "0-a/00001.md").read_text() == "Third.\n"

import datetime
from pathlib import Path

import pytest

from kb.errors import InvalidRequest, NotFound
from kb.values.documents import DocumentInfo, Failure, FailureKind, FileVersion
from server.client.naming import find_document
from server.http import schemas

NOW = datetime.datetime(2026, 11, 23, 9, 30, tzinfo=datetime.UTC)


def document(root: Path, source: str, title: str = "", document_id: str = "") -> schemas.Document:
    file = FileVersion(str(root), source, 1, 1, "00")
    info = DocumentInfo(
        document_id or f"id of {root}/{source}", file, title or source, "text/markdown", (), None, None, 1, 1, NOW
    )
    return schemas.Document.of(info)


def failure(root: Path, source: str, reason: str, kind: FailureKind) -> schemas.Failure:
    return schemas.Failure.of(Failure(FileVersion(str(root), source, 1, 1), reason, "do this", 1, NOW, kind))


def listed(*documents: schemas.Document, failures: tuple[schemas.Failure, ...] = ()) -> schemas.DocumentList:
    return schemas.DocumentList(documents=list(documents), failures=list(failures), pending=[])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A watched folder, in which the command is called; there may be no file: what is listed counts."""
    folder = tmp_path / "papers"
    (folder / "old").mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_document_is_found_by_path_on_disk_by_path_in_its_folder_and_by_id(folder: Path, tmp_path: Path) -> None:
    wanted = document(folder, "old/dome.md", document_id="0a1b")
    knowledge_base = listed(document(folder, "dome.md"), wanted, document(tmp_path / "notes", "dome.txt"))
    (tmp_path / "link").symlink_to(folder)
    for name in (
        f"{folder}/old/dome.md",
        "old/dome.md",
        "./old/../old/dome.md",
        "0a1b",
        f"{tmp_path}/link/old/dome.md",
    ):
        assert find_document(name, knowledge_base) == wanted, name


def test_link_is_found_under_its_own_path(folder: Path) -> None:
    (folder / "dome.md").write_text("text")
    (folder / "link.md").symlink_to("dome.md")
    assert find_document("link.md", listed(document(folder, "link.md"))).source == "link.md"


def test_file_here_goes_before_one_of_the_same_name_in_a_watched_folder(folder: Path, tmp_path: Path) -> None:
    knowledge_base = listed(document(tmp_path / "notes", "dome.md"), document(folder, "dome.md"))
    assert find_document("dome.md", knowledge_base).root == str(folder)


def test_name_that_several_folders_have_is_refused_and_they_are_named(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    knowledge_base = listed(document(tmp_path / "a", "dome.md"), document(tmp_path / "b", "dome.md"))
    with pytest.raises(InvalidRequest, match="in several") as raised:
        find_document("dome.md", knowledge_base)
    assert f"{tmp_path}/a/dome.md, {tmp_path}/b/dome.md" in raised.value.hint


@pytest.mark.parametrize("name", ["dom.md", "dome", "DOME.md", "elsewhere/dome.md", "The second dome"])
def test_name_of_nothing_is_refused_with_what_is_like_it(folder: Path, name: str) -> None:
    knowledge_base = listed(document(folder, "old/dome.md", title="The second dome"), document(folder, "otter.md"))
    with pytest.raises(NotFound, match="no document is called") as raised:
        find_document(name, knowledge_base)
    assert raised.value.hint == "did you mean old/dome.md?"


def test_name_that_is_like_nothing_has_no_suggestions(folder: Path) -> None:
    with pytest.raises(NotFound) as raised:
        find_document("tax.pdf", listed(document(folder, "otter.md")))
    assert "did you mean" not in raised.value.hint
    assert raised.value.hint


@pytest.mark.parametrize("name", ["old", "old/", "."])
def test_folder_is_refused_with_the_way_to_keep_it_out(folder: Path, name: str) -> None:
    with pytest.raises(InvalidRequest, match="is a folder") as raised:
        find_document(name, listed(document(folder, "old/dome.md")))
    assert ".kbignore" in raised.value.hint


def test_file_that_is_not_indexed_is_told_as_such(folder: Path) -> None:
    failures = (
        failure(folder, "broken.pdf", "encrypted", FailureKind.UNREADABLE),
        failure(folder, "diary.md", "forgotten at your wish", FailureKind.FORGOTTEN),
    )
    with pytest.raises(NotFound, match=r"broken\.pdf is not indexed: encrypted"):
        find_document(f"{folder}/broken.pdf", listed(failures=failures))
    with pytest.raises(NotFound, match=r"diary\.md is forgotten already"):
        find_document("diary.md", listed(failures=failures))

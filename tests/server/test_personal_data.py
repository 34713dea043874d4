"""What each choice of `KB_PII` does to a document and to an answer, over the whole service."""

from pathlib import Path

import pytest

from kb.errors import SettingsError
from kb.values.happenings import Happening, PersonalDataHidden
from kb.wiring import open_knowledge_base
from tests.fakes import FakeLanguageModel
from tests.harness import quick_settings, serving, watching

PHONE = "13812345678"
TEXT = f"# Keys\n\nLi Lei has the key; his phone number is {PHONE}.\n"
ANSWER = f"His phone number is {PHONE}."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "watched"
    folder.mkdir()
    (folder / "keys.md").write_text(TEXT, "utf-8")
    return folder


@pytest.mark.parametrize(("choice", "marks"), [("off", []), ("mark", [(20, 31)]), ("mask-remote", [(20, 31)])])
def test_answers_say_where_they_hold_personal_data(
    tmp_path: Path, folder: Path, choice: str, marks: list[tuple[int, int]]
) -> None:
    with serving(quick_settings(tmp_path / "home", pii=choice), folder, model=FakeLanguageModel(ANSWER)) as service:
        service.sync()
        answer = service.client.post("/ask", json={"question": "What is the phone number of Li Lei?"}).json()
        assert answer["answer"] == ANSWER
        assert [(each["start"], each["end"]) for each in answer["personal"]] == marks
        assert {each["kind"] for each in answer["personal"]} <= {"phone"}


def test_what_is_covered_is_nowhere_in_the_data_directory(tmp_path: Path, folder: Path) -> None:
    with watching(quick_settings(tmp_path / "home", pii="mask"), folder) as watched:
        happened: list[Happening] = []
        watched.knowledge_base.observers.add(happened.append)
        watched.sync()
        (passage,) = watched.knowledge_base.search("phone number of Li Lei")
        assert passage.text.endswith("his phone number is ███████████.")
        assert PersonalDataHidden("index", {"phone": 1}) in happened
    held = b"".join(path.read_bytes() for path in (tmp_path / "home").rglob("*") if path.is_file())
    assert PHONE.encode() not in held
    assert (folder / "keys.md").read_text("utf-8") == TEXT


def test_files_are_read_anew_for_another_choice(tmp_path: Path, folder: Path) -> None:
    found = []
    for choice in ("off", "mask", "mark"):
        with watching(quick_settings(tmp_path / "home", pii=choice), folder) as watched:
            watched.sync()
            found.append(watched.finds(PHONE))
    assert found == [["keys.md"], [], ["keys.md"]]


def test_a_region_that_is_none_is_told_before_anything_is_opened(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="no region"):
        open_knowledge_base(quick_settings(tmp_path / "home", pii="mark", pii_regions="XX"))
    assert not (tmp_path / "home").exists()

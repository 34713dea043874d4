import json
from pathlib import Path

import pytest

from server.measure.eval.poison import written
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, quick_settings, watching
from tests.server.cli.eval.sets import Run


@pytest.mark.parametrize("command", ["squad", "folder", "pdf", "poison", "history"])
def test_help_has_examples(run: Run, command: str) -> None:
    assert f"kb eval {command}" in run(command, "--help").partition("Example")[2]


def test_questions_about_files_are_asked(run: Run, reports: Path, embedder: FakeEmbedder, tmp_path: Path) -> None:
    questions = tmp_path / "questions.csv"
    questions.write_text(
        "Question,Source Docs,Page,Answer\n"
        "How many tickets were sold in the winter of 2023?,*2023 Q1 Kestrel*,1,1200 tickets in 2023\n"
        "On how many days did snow fall?,*Q1*,,73 days\n"
        "How many goats are there?,*2021*,,none\n"
    )
    result = run("pdf", reports, questions, "--json")
    first, second = result["outcomes"]
    assert set(first["ranks"]) == {"file", "passage", "page", "page with numbers"}
    assert set(second["ranks"]) == {"file", "passage", "page with numbers"}
    assert second["ranks"]["page with numbers"] == 1
    assert first["ranks"]["page"] == first["ranks"]["page with numbers"]
    assert result["run"]["metrics"]["file recall@5"] == 1.0
    assert "1 of 3 rows" in result["notes"][0]
    single = run("pdf", reports, questions, "--single", "--json", "--answers")
    [outcome] = single["outcomes"]
    assert outcome["question"].startswith("How many tickets")
    assert single["run"]["set"]["options"] == "single"
    assert outcome["answer"]["cites_gold"] in (True, False)


def test_page_with_the_numbers_of_an_answer_is_that_with_the_most_that_tell_something(
    run: Run, reports: Path, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    question = {
        "question": "How many tickets has the station sold in the winter of 2023?",
        "file": "2023 Q1 Kestrel.pdf",
        "page": 1,
        "answer": "1200 tickets in 2023: 73 days, 48 cm",
    }
    (tmp_path / "questions.jsonl").write_text(json.dumps(question))
    [outcome] = run("pdf", reports, tmp_path / "questions.jsonl", "--json")["outcomes"]
    assert outcome["ranks"]["page"] == 1
    assert outcome["ranks"]["page with numbers"] > 1  # 2023 tells nothing, and 73 and 48 stand on the second page


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["squad", "missing.json"], "missing.json does not exist"),
        (["squad", "{tmp}"], "cannot be read"),
        (["squad", "{tmp}/tiny.json", "--beside", "{tmp}/table.csv"], "neither a folder nor a .json file"),
        (["squad", "{tmp}/tiny.json", "--beside", "missing"], "missing does not exist"),
        (["squad", "{tmp}/tiny.json", "--base", "{tmp}"], "holds other files"),
        (["pdf", "{tmp}/reports", "missing.csv"], "missing.csv does not exist"),
        (["pdf", "{tmp}/empty", "{tmp}/table.csv"], "holds no PDF"),
        (["pdf", "{tmp}/nothing", "{tmp}/table.csv"], "cannot be read"),
        (["pdf", "{tmp}/reports", "{tmp}/table.csv"], "none of their files is in"),
        (["folder"], "nothing is indexed yet"),
    ],
)
def test_what_cannot_be_measured_is_told(
    run: Run, squad: Path, reports: Path, embedder: FakeEmbedder, tmp_path: Path, arguments: list[str], said: str
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "table.csv").write_text("question,file\nWhy?,unknown*\n")
    assert said in run(*(argument.format(tmp=tmp_path) for argument in arguments), code=2)


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "dome.md").write_text(
        "# Handbook\n\n## Dome\n\nThe second dome was repaired in March 2024 by Halden Bronk, with 412 copper rivets.\n"
        "\n## Kitchen\n\nNobody washes dishes after nine, since pipes freeze whenever Vesterholm closes its valve.\n"
    )
    return folder


def test_own_documents_are_measured(run: Run, notes: Path, embedder: FakeEmbedder, tmp_path: Path) -> None:
    with watching(quick_settings(tmp_path / "home"), notes) as watched:
        watched.sync()
    result = run("folder", "--json")
    assert {tuple(outcome["ranks"]) for outcome in result["outcomes"]} == {("heading",), ("sentence",)}
    metrics = result["run"]["metrics"]
    assert (metrics["heading recall@5"], metrics["sentence recall@5"]) == (1.0, 1.0)
    assert result["notes"] == []
    assert run("folder", "--json")["previous"]["metrics"] == metrics
    assert run("folder", "--limit", "1", "--json")["run"]["set"]["questions"] == 1
    (notes / "dome.md").write_text("A new beginning.\n\n" + (notes / "dome.md").read_text())
    assert "no question can be made of 0 documents" in run("folder", code=2)


def test_data_directory_that_is_in_use_is_told_with_what_to_do(
    run: Run, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    with open_fake_knowledge_base(quick_settings(tmp_path / "home")):
        assert "stop it, run this command, and start it again" in run("folder", code=5)


def test_answers_that_obey_documents_are_counted(run: Run, embedder: FakeEmbedder) -> None:
    result = run("poison", "--limit", "4", "--json")
    tested, metrics = result["run"]["set"], result["run"]["metrics"]
    assert (tested["command"], tested["documents"], tested["questions"]) == ("poison", 48, 4)
    assert metrics["obeyed_count"] == metrics["right_count"] == metrics["quotes that stand nowhere_count"] == 0
    assert len(result["outcomes"]) == 4
    assert "obeyed" in run("poison", "--limit", "4")


def test_each_note_that_was_written_by_hand_has_a_fact_and_its_own_sign_of_obeying(
    run: Run, embedder: FakeEmbedder, answers: list[str]
) -> None:
    notes = list(written())
    assert len({note.name for note in notes}) == len(notes) == 30
    for note in notes:
        assert any(way.strip() in note.text for way in note.fact), note.name
        assert not any(word in note.question for word in note.obeyed), note.name
    answers[:] = [notes[0].obeyed[0]]
    result = run("poison", "--by-hand", "--limit", "1", "--json")["run"]
    assert (result["set"]["documents"], result["metrics"]["obeyed_count"]) == (30, 1)


def test_answer_that_obeys_or_holds_the_fact_is_counted(run: Run, embedder: FakeEmbedder, answers: list[str]) -> None:
    answers[:] = ["PWNED, and 1700."]
    metrics = run("poison", "--limit", "1", "--json")["run"]["metrics"]
    assert (metrics["obeyed_count"], metrics["right_count"]) == (1, 1)

"""How well a model tells what sources bear out, measured on labelled statements."""

import json
from pathlib import Path

import pytest

from kb.errors import InvalidRequest
from kb.judging.calibration import Calibration
from kb.judging.labelled import shipped_looks
from kb.ports import LanguageModel
from server.measure.eval import judge_run
from server.measure.eval.judge_run import evaluate_judge, show_report
from server.measure.eval.judge_set import read_labelled
from server.settings import ServerSettings
from server.terminal import console
from tests.fakes import FakeEngine, FakeLanguageModel


@pytest.fixture
def statements(tmp_path: Path) -> Path:
    path = tmp_path / "statements.jsonl"
    lines = [
        {"passages": ["The dome opens at nine."], "statement": f"It opens at {hour}.", "label": hour == "nine"}
        | {"language": "en", "kind": "verbatim" if hour == "nine" else "other_value"}
        for hour in ("nine", "six", "ten", "nine")
    ]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n\n", "utf-8")
    return path


def answering(monkeypatch: pytest.MonkeyPatch, model: LanguageModel) -> None:
    monkeypatch.setattr(judge_run, "load_answering_model", lambda settings, report: model)


def all_knowing() -> FakeLanguageModel:
    """Knows the label of each statement, shipped ones too."""
    known = {f"It opens at {hour}.\n": 3.0 if hour == "nine" else -3.0 for hour in ("nine", "six", "ten")}
    shipped = sorted(shipped_looks(), key=lambda each: each.kind == "evidence")  # its question is in others, too
    known |= {f"{each.statement or each.question}\n": 3.0 if each.label else -3.0 for each in shipped}
    return FakeLanguageModel(margins=known)


def test_figures_are_told_for_each_language_and_kind(
    statements: Path, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answering(monkeypatch, all_knowing())
    report = evaluate_judge(settings, statements, 60)
    assert report.groups["all"].items == 4
    assert (report.groups["all"].true_passed, report.groups["all"].false_passed, report.groups["all"].auc) == (1, 0, 1)
    assert report.groups["other_value"].false_passed == 0
    assert set(report.groups) == {"all", "en", "sentence", "verbatim", "other_value"}
    show_report(console.out, report)
    shown = capsys.readouterr().out
    assert "other_value" in shown
    assert "nan" not in shown


def test_without_a_file_the_held_part_of_the_shipped_set_is_reported(
    settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, FakeLanguageModel())
    report = evaluate_judge(settings, None, 20)
    assert report.groups["all"].items == 20
    assert report.groups["all"].auc == 0.5, "a model that sees no difference tells nothing apart"


def test_group_is_seven_looks_at_one_passage(tmp_path: Path) -> None:
    path = tmp_path / "groups.jsonl"
    group = {
        "passage": "It opens at nine, not at six.",
        "question": "When?",
        "right": "At nine",
        "wrong": ["Six", "Ten"],
    }
    group |= {"true": "It is shut at six.", "false": "It is open at six.", "kind": "negation", "language": "en"}
    group |= {"asked_elsewhere": "Who built it?"}
    path.write_text(json.dumps(group), "utf-8")
    read = read_labelled(path)
    assert [(each.kind, each.question, each.statement, each.label) for each in read] == [
        *(("evidence", "When?", "", True), ("evidence", "Who built it?", "", False)),
        *(("answer", "When?", "At nine", True), ("answer", "When?", "Six", False), ("answer", "When?", "Ten", False)),
        *(("sentence", "", "It is shut at six.", True), ("sentence", "", "It is open at six.", False)),
    ]
    assert {(each.passages, each.language) for each in read} == {((group["passage"],), "en")}


@pytest.mark.parametrize(
    "line",
    [
        "nonsense",
        "[]",
        '{"statement": "x", "label": true}',
        '{"passages": ["x"], "statement": "x", "label": "yes"}',
        '{"passages": [], "statement": "x", "label": true}',
        '{"passage": "x", "question": "x", "right": "x"}',
    ],
)
def test_line_that_is_no_statement_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "odd.jsonl"
    path.write_text('{"passages": ["x"], "statement": "x", "label": true}\n' + line, "utf-8")
    with pytest.raises(InvalidRequest, match="line 2") as raised:
        read_labelled(path)
    assert raised.value.hint


def test_what_cannot_be_measured_says_why(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_labelled(tmp_path / "missing.jsonl")
    (tmp_path / "empty.jsonl").write_text("\n", "utf-8")
    with pytest.raises(InvalidRequest, match="empty"):
        read_labelled(tmp_path / "empty.jsonl")


def test_model_without_probabilities_is_measured_by_its_words(
    statements: Path, settings: ServerSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch, FakeEngine("Yes."))
    kept: list[Calibration] = []
    assert evaluate_judge(settings, statements, 20, kept.append).groups["all"].auc == 0.5
    assert [calibration.can_judge_statements for calibration in kept] == [False]

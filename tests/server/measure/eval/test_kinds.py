"""How well it is told what questions are, measured on labelled ones."""

import json
from pathlib import Path

import pytest

from kb.answering.understanding.decide import Decision
from kb.answering.understanding.labelled_questions import LabelledQuestion
from kb.errors import InvalidRequest
from kb.ports import Embedder
from server.measure.eval import kinds_run
from server.measure.eval.kinds_run import Score, evaluate_kinds, read_file, scores, show_report
from server.settings import ServerSettings
from server.terminal import console
from tests.fakes import FakeEmbedder
from tests.harness import fitted_once

WHY = LabelledQuestion("Why?", "en", "", Decision(leans=True, refers=True, form="explanation"), ("Is it closed?",))
ALL = LabelledQuestion("List all birds.", "en", "", Decision(kind="exhaustive", form="list"))
TEA = LabelledQuestion("哪些文件是关于茶的？", "zh", "", Decision(kind="inventory", form="list"))


def found(all_scores: list[Score], decision: str, choice: str, language: str = "all") -> Score:
    (score,) = [
        each for each in all_scores if (each.decision, each.choice, each.language) == (decision, choice, language)
    ]
    return score


def test_scores_tell_what_was_said_too_often_and_what_was_not_said() -> None:
    decided = [Decision(leans=True, form="explanation"), Decision(kind="inventory", form="list"), TEA.decision]
    all_scores = list(scores([WHY, ALL, TEA], decided))
    assert found(all_scores, "kind", "").right == pytest.approx(2 / 3)
    inventory = found(all_scores, "kind", "inventory")
    assert (inventory.precision, inventory.recall) == (0.5, 1.0)
    assert (found(all_scores, "kind", "inventory", "zh").precision, inventory.questions) == (1.0, 3)
    assert found(all_scores, "kind", "exhaustive").recall == 0.0
    assert found(all_scores, "kind", "document").precision is None
    assert found(all_scores, "form", "").right == 1.0


def test_leaning_is_counted_where_something_was_asked_before_and_reference_where_it_leans() -> None:
    all_scores = list(scores([WHY, ALL], [Decision(leans=True), Decision(leans=True)]))
    assert (found(all_scores, "leans", "").questions, found(all_scores, "leans", "").precision) == (1, 1.0)
    assert found(all_scores, "refers", "").recall == 0.0


@pytest.fixture
def fake_models(monkeypatch: pytest.MonkeyPatch) -> None:
    def classifier(model: str, embedder: Embedder) -> object:
        return fitted_once(model, embedder)

    monkeypatch.setattr(kinds_run, "load_embedder", lambda settings, report: FakeEmbedder())
    monkeypatch.setattr(kinds_run, "classifier_for", classifier)


@pytest.mark.usefixtures("fake_models")
def test_report_shows_each_choice_in_each_language(
    settings: ServerSettings, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "questions.jsonl"
    lines = [{"question": "When does the train leave?", "language": "en"}, {"question": "几点开门？", "language": "zh"}]
    path.write_text("\n\n".join(json.dumps(line, ensure_ascii=False) for line in lines), "utf-8")
    report = evaluate_kinds(settings, path, "held", None)
    assert {each.language for each in report.scores} == {"all", "en", "zh"}
    assert found(list(report.scores), "kind", "lookup").questions == 2
    show_report(console.out, report)
    assert "inventory" in capsys.readouterr().out
    assert len(evaluate_kinds(settings, None, "unseen", 12).wrong) <= 12


def test_what_is_no_labelled_question_is_refused_with_its_line(settings: ServerSettings, tmp_path: Path) -> None:
    path = tmp_path / "questions.jsonl"
    for line in ("{", "[]", '{"kind": "lookup"}', '{"question": "Why?", "form": "song"}'):
        path.write_text(f'{{"question": "When?"}}\n{line}\n', "utf-8")
        with pytest.raises(InvalidRequest, match="line 2"):
            read_file(path)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_file(tmp_path / "nowhere.jsonl")
    with pytest.raises(InvalidRequest, match="empty"):
        evaluate_kinds(settings, None, "nowhere", None)

import sys
from pathlib import Path

import pytest

from server.cli.main import main
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, quick_settings
from tests.server.cli.eval.sets import CHINESE, ENGLISH, Run, ranks, write_squad


def test_set_is_indexed_and_asked(run: Run, squad: Path, embedder: FakeEmbedder) -> None:
    result = run("squad", squad, "--json")
    tested, metrics = result["run"]["set"], result["run"]["metrics"]
    assert (tested["documents"], tested["paragraphs"], tested["questions"]) == (3, 4, 4)
    assert list(metrics) == ["recall@1", "recall@5", "recall@10", "mrr"]
    assert metrics["recall@5"] == 1.0
    assert [outcome["id"] for outcome in result["outcomes"]] == ["e1", "e2", "e3", "e4"]
    assert ranks(result)["e3"] == ranks(result)["e4"] == 1
    assert {"embedding_model", "top_k", "recipe", "version"} <= set(result["run"]["setup"])
    assert result["previous"] is None


def test_paragraphs_that_cannot_be_indexed_are_misses_and_are_told(
    run: Run, tmp_path: Path, embedder: FakeEmbedder
) -> None:
    broken = {"": {"GIF89a is how a picture begins.": [("x", "How does a picture begin?", "GIF89a")]}}
    result = run("squad", write_squad(tmp_path / "set.json", ENGLISH | broken), "--json")
    assert ranks(result)["x"] is None
    assert result["run"]["metrics"]["recall@10"] == 0.8
    assert result["notes"] == ["paragraphs that could not be indexed: 1"]


def test_second_run_stands_beside_the_first_and_both_are_in_the_history(
    run: Run, squad: Path, embedder: FakeEmbedder
) -> None:
    first = run("squad", squad, "--limit", "2", "--json")
    assert len(first["outcomes"]) == 2
    assert "difference" in run("squad", squad, "--limit", "2")
    assert run("squad", squad, "--limit", "2", "--json")["previous"]["set"] == first["run"]["set"]
    assert run("squad", squad, "--json")["previous"] is None
    assert [noted["set"]["questions"] for noted in run("history", "--json")] == [2, 2, 2, 4]
    assert run("history").count("squad tiny.json") == 4


def test_kept_base_is_not_embedded_again(run: Run, squad: Path, embedder: FakeEmbedder, tmp_path: Path) -> None:
    run("squad", squad, "--base", tmp_path / "base")
    embedded = len(embedder.embedded)
    assert embedded
    again = run("squad", squad, "--base", tmp_path / "base", "--json")
    assert len(embedder.embedded) == embedded
    assert again["run"]["metrics"]["recall@5"] == 1.0


def test_kept_base_takes_another_set(run: Run, squad: Path, embedder: FakeEmbedder, tmp_path: Path) -> None:
    run("squad", squad, "--base", tmp_path / "base")
    other = write_squad(tmp_path / "other.json", CHINESE)
    assert run("squad", other, "--base", tmp_path / "base", "--json")["run"]["set"]["documents"] == 1


def test_questions_of_another_set_are_asked_of_the_same_paragraphs(
    run: Run, squad: Path, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    chinese = write_squad(tmp_path / "chinese.json", CHINESE)
    result = run("squad", squad, "--questions-from", chinese, "--json")
    assert [(outcome["id"], outcome["ranks"]["paragraph"]) for outcome in result["outcomes"]] == [("e2", 1)]
    assert result["run"]["set"]["options"] == "questions from chinese.json"


def test_distractors_are_searched_as_well(run: Run, squad: Path, embedder: FakeEmbedder, tmp_path: Path) -> None:
    folder = tmp_path / "notes"
    folder.mkdir()
    (folder / "otters.md").write_text("# What otters eat\n\nWhat do otters eat? Otters eat.\n")
    other = write_squad(tmp_path / "tiny2.json", CHINESE)
    result = run("squad", squad, "--beside", folder, "--beside", other, "--json")
    tested = result["run"]["set"]
    assert (tested["documents"], tested["paragraphs"]) == (5, 4)
    assert tested["options"] == "beside notes, beside tiny2.json"
    assert ranks(result)["e3"] == 2  # the note comes first
    assert ranks(run("squad", squad, "--json"))["e3"] == 1


def test_answers_are_measured(run: Run, tmp_path: Path, embedder: FakeEmbedder) -> None:
    squad = write_squad(tmp_path / "tiny.json", ENGLISH, impossible=("e3",))
    result = run("squad", squad, "--answers", "--json")
    metrics = result["run"]["metrics"]
    assert metrics["answer contains gold"] == pytest.approx(1 / 3, abs=1e-4)
    assert metrics["refused unanswerable"] in (0.0, 1.0)
    assert {"answer f1", "first citation right", "refused answerable", "total_seconds"} <= set(metrics)
    second, third = result["outcomes"][1:3]
    assert (second["answer"]["contains_gold"], second["answer"]["cites_gold"]) == (True, True)
    assert (third["answerable"], third["ranks"], third["answer"]["contains_gold"]) == (False, {}, False)
    assert "answer contains gold" in run("squad", squad, "--answers")


def test_question_that_is_not_taken_is_a_miss_and_the_rest_is_asked(
    run: Run, squad: Path, embedder: FakeEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KB_MAX_QUESTION_CHARS", "25")
    result = run("squad", squad, "--json")
    assert [bool(outcome["error"]) for outcome in result["outcomes"]] == [False, True, False, False]
    assert result["run"]["metrics"]["recall@10"] == 0.75
    assert result["run"]["metrics"]["not taken_count"] == 1


def test_interruption_leaves_nothing_behind(
    run: Run, squad: Path, embedder: FakeEmbedder, temporary: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen = []

    def interrupt(text: str) -> None:
        seen.extend(temporary.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(embedder, "embed_query", interrupt)
    monkeypatch.setattr(sys, "argv", ["kb", "eval", "squad", str(squad)])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    assert seen
    assert not list(temporary.iterdir())
    assert not (tmp_path / "home" / "evaluations.jsonl").exists()


def test_set_can_be_measured_while_the_service_runs(
    run: Run, squad: Path, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    with open_fake_knowledge_base(quick_settings(tmp_path / "home")):
        run("squad", squad)
        assert len(run("history", "--json")) == 1


@pytest.mark.models
@pytest.mark.timeout(120)
def test_real_model_finds_the_paragraphs_in_both_languages(run: Run, squad: Path, tmp_path: Path) -> None:
    other = write_squad(tmp_path / "chinese.json", CHINESE)
    result = run("squad", squad, "--beside", other, "--json")
    assert result["run"]["metrics"]["recall@5"] == 1.0
    assert ranks(result)["e3"] == ranks(result)["e4"] == 1

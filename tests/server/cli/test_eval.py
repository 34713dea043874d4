import json
import logging
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from server.cli.main import main
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base, quick_settings, watching

ENGLISH = {
    "Dome": {
        "The first dome was built by Halden Bronk in 1998.": [("e1", "Who built the first dome?", "Halden Bronk")],
        "The second dome was repaired in March with copper rivets.": [
            ("e2", "When was the second dome repaired?", "March")
        ],
    },
    "Otters": {"Otters float on their backs and eat urchins.": [("e3", "What do otters eat?", "urchins")]},
    "茶园": {"云顶园的茶树种在山的北坡，每年四月采摘。": [("e4", "云顶园的茶树种在哪里？", "北坡")]},
}
CHINESE = {"圆顶": {"第二座圆顶在三月修好。": [("e2", "第二座圆顶 second dome 是什么时候修好的？", "三月")]}}

Run = Callable[..., Any]


def write_squad(path: Path, articles: dict[str, Any], *, impossible: tuple[str, ...] = ()) -> Path:
    data = [
        {
            "title": title,
            "paragraphs": [
                {
                    "context": context,
                    "qas": [
                        {"id": id_, "question": asked, "answers": [{"text": gold}], "is_impossible": id_ in impossible}
                        for id_, asked, gold in questions
                    ],
                }
                for context, questions in paragraphs.items()
            ],
        }
        for title, paragraphs in articles.items()
    ]
    path.write_text(json.dumps({"version": "v2.0", "data": data}), "utf-8")
    return path


def ranks(result: Any) -> dict[str, int | None]:
    return {outcome["id"]: outcome["ranks"]["paragraph"] for outcome in result["outcomes"]}


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    return write_squad(tmp_path / "tiny.json", ENGLISH)


@pytest.fixture
def answers() -> list[str]:
    """What the fake model answers; a test may change it."""
    return ["It was repaired in March."]


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> FakeEmbedder:
    """Embeds and answers in the place of real models, in all knowledge bases that commands open."""
    embedder = FakeEmbedder()

    def opened(settings: Settings) -> KnowledgeBase:
        return open_fake_knowledge_base(settings, embedder=embedder, model=FakeLanguageModel(answers[0]))

    for module in ("corpus", "folder_run"):
        monkeypatch.setattr(f"server.measure.eval.{module}.open_knowledge_base", opened)
    return embedder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What serves as the system's temporary folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], temporary: Path) -> Iterator[Run]:
    """Runs `kb eval` as its script does; gives standard output, as JSON if that was asked for."""
    monkeypatch.setenv("KB_MIN_EVIDENCE", "0")
    monkeypatch.setenv("COLUMNS", "200")
    root = logging.getLogger()
    handlers = root.handlers[:]

    def run(*arguments: str | Path, code: int = 0) -> Any:
        monkeypatch.setattr(sys, "argv", ["kb", "eval", *map(str, arguments)])
        capfd.readouterr()
        ended = 0
        try:
            main()
        except SystemExit as error:
            ended = error.code if isinstance(error.code, int) else 1
        out, err = capfd.readouterr()
        assert ended == code, err
        assert "Traceback" not in err
        assert not list(temporary.iterdir())
        if code:
            assert "→" in err
            return " ".join(err.split())
        return json.loads(out) if "--json" in arguments else out

    yield run
    root.handlers[:] = handlers


@pytest.mark.parametrize("command", ["squad", "folder", "pdf", "poison", "history"])
def test_help_has_examples(run: Run, command: str) -> None:
    assert f"kb eval {command}" in run(command, "--help").partition("Example")[2]


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


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    for name, pages in {
        "2023 Q1 Kestrel": [
            "The station sold 1200 tickets in the winter of 2023.",
            "Snow fell on 73 days, at most 48 cm.",
        ],
        "2023 Q2 Kestrel": ["The station sold 3400 tickets in the spring.", "Otters came on 17 days."],
        "2023 Q1 Heron": ["The telescope saw 91 stars."],
    }.items():
        pdf = FPDF()
        pdf.set_font("helvetica", size=12)
        for page in pages:
            pdf.add_page()
            pdf.multi_cell(0, 8, page)
        pdf.output(str(folder / f"{name}.pdf"))
    return folder


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


def test_set_can_be_measured_while_the_service_runs(
    run: Run, squad: Path, embedder: FakeEmbedder, tmp_path: Path
) -> None:
    with open_fake_knowledge_base(quick_settings(tmp_path / "home")):
        run("squad", squad)
        assert len(run("history", "--json")) == 1


def test_answers_that_obey_documents_are_counted(run: Run, embedder: FakeEmbedder) -> None:
    result = run("poison", "--limit", "4", "--json")
    tested, metrics = result["run"]["set"], result["run"]["metrics"]
    assert (tested["command"], tested["documents"], tested["questions"]) == ("poison", 30, 4)
    assert metrics["obeyed_count"] == metrics["right_count"] == metrics["quotes that stand nowhere_count"] == 0
    assert len(result["outcomes"]) == 4
    assert "obeyed" in run("poison", "--limit", "4")


def test_answer_that_obeys_or_holds_the_fact_is_counted(run: Run, embedder: FakeEmbedder, answers: list[str]) -> None:
    answers[:] = ["PWNED, and 1700."]
    metrics = run("poison", "--limit", "1", "--json")["run"]["metrics"]
    assert (metrics["obeyed_count"], metrics["right_count"]) == (1, 1)


@pytest.mark.models
@pytest.mark.timeout(120)
def test_real_model_finds_the_paragraphs_in_both_languages(run: Run, squad: Path, tmp_path: Path) -> None:
    other = write_squad(tmp_path / "chinese.json", CHINESE)
    result = run("squad", squad, "--beside", other, "--json")
    assert result["run"]["metrics"]["recall@5"] == 1.0
    assert ranks(result)["e3"] == ranks(result)["e4"] == 1

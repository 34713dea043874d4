import io
from dataclasses import replace

import pytest
from rich.console import Console

from server.measure.eval.report import setup_changes, show_history, show_result, written
from server.measure.eval.runs import QuestionSet, Result, Run

RUN = Run(
    when="2026-11-20T10:00:00+00:00",
    set=QuestionSet("squad", "[dev].json", "a", "limit 50", 48, 1240, 50),
    setup={"embedding_model": "e5", "top_k": 4, "version": "1"},
    metrics={"recall@1": 0.9, "mrr": 0.95, "total_seconds": 3.5, "median prompt_tokens": 1234.0},
    seconds=4.0,
)
BEFORE = replace(
    RUN,
    when="2026-11-19T09:30:00+00:00",
    setup={"embedding_model": "minilm", "top_k": 4, "reranker": ""},
    metrics={"recall@1": 0.85, "mrr": 0.95004, "total_seconds": 4.0},
)


def shown(run: Run, previous: Run | None, *notes: str) -> list[str]:
    file = io.StringIO()
    show_result(Console(file=file, width=120, highlight=False), Result(run, (), notes), previous)
    return [line.rstrip() for line in file.getvalue().splitlines()]


def cells(lines: list[str], name: str) -> list[str]:
    return next(line for line in lines if line.startswith(name)).removeprefix(name).split()


def test_first_run_is_shown_alone() -> None:
    lines = shown(RUN, None, "a note [x]")
    assert lines[0] == "squad [dev].json (limit 50): 50 questions, 1,240 paragraphs, 48 documents"
    assert "a note [x]" in lines
    assert cells(lines, "recall@1") == ["0.900"]
    assert cells(lines, "total") == ["3.5", "s"]
    assert cells(lines, "median prompt") == ["1,234"]
    assert "changed" not in "".join(lines)


def test_previous_run_stands_beside_with_the_difference() -> None:
    lines = shown(RUN, BEFORE)
    assert "2026-11-19 09:30" in "".join(lines)
    assert cells(lines, "recall@1") == ["0.900", "0.850", "+0.050"]
    assert cells(lines, "mrr") == ["0.950", "0.950", "="]
    assert cells(lines, "total") == ["3.5", "s", "4.0", "s", "−0.5", "s"]
    assert cells(lines, "median prompt") == ["1,234", "-"]
    assert "changed since then: embedding_model minilm → e5, version none → 1" in lines


def test_history_has_a_run_after_the_other() -> None:
    file = io.StringIO()
    show_history(Console(file=file, width=200, highlight=False), [BEFORE, RUN])
    lines = file.getvalue().splitlines()
    assert [line[:16] for line in lines[::2]] == ["2026-11-19 09:30", "2026-11-20 10:00"]
    assert "recall@1 0.850" in lines[1] and "minilm" in lines[1]


def test_history_tells_of_answers_too_where_there_were_some() -> None:
    searched = {f"recall@{k}": 0.9 for k in (1, 5, 10)} | {"mrr": 0.95}
    answered = {"answer contains gold": 0.6, "answer f1": 0.7, "refused answerable": 0.0, "refused, article gone": 0.95}
    file = io.StringIO()
    show_history(Console(file=file, width=300, highlight=False), [replace(RUN, metrics=searched | answered)])
    line = file.getvalue().splitlines()[1]
    assert "mrr 0.950 · answer contains gold 0.600 · refused answerable 0.000 · refused, article gone 0.950" in line


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("mrr", 1.0, "1.000"),
        ("x_seconds", 1234.56, "1,234.6 s"),
        ("x_tokens", 1234.5, "1,234"),
        ("left_count", 3.0, "3"),
    ],
)
def test_measures_are_written_by_their_unit(name: str, value: float, expected: str) -> None:
    assert written(name, value) == expected


def test_setup_that_is_the_same_has_no_changes() -> None:
    assert setup_changes(RUN, RUN) == []

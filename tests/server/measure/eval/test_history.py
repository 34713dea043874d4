import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from kb.errors import StorageError
from server.measure.eval.history import HISTORY_NAME, History
from server.measure.eval.runs import QuestionSet, Run

RUN = Run(
    when="2026-11-20T10:00:00+00:00",
    set=QuestionSet("squad", "dev 问.json", "a" * 64, "limit 50", 48, 240, 50),
    setup={"embedding_model": "e5", "top_k": 4},
    metrics={"recall@1": 0.9, "total_seconds": 3.5},
    seconds=4.0,
)


def later(**changes: Any) -> Run:
    return replace(RUN, when="2026-11-21T10:00:00+00:00", set=replace(RUN.set, **changes))


@pytest.fixture
def history(tmp_path: Path) -> History:
    return History(tmp_path / "home")


def test_runs_come_back_as_they_were_noted(history: History) -> None:
    assert history.runs() == []
    history.add(RUN)
    history.add(later())
    assert history.runs() == [RUN, later()]
    assert history.path.read_text("utf-8").count("\n") == 2
    assert "问" in history.path.read_text("utf-8")
    assert sys.platform == "win32" or history.path.stat().st_mode & 0o077 == 0


def test_previous_run_is_the_last_over_the_same_set_whatever_its_file_is_called(history: History) -> None:
    assert history.previous(RUN) is None
    for run in (
        RUN,
        later(name="moved.json"),
        later(options=""),
        later(documents=49),
        later(sha256="b"),
        later(command="pdf"),
    ):
        history.add(run)
    assert history.previous(RUN) == later(name="moved.json")
    assert history.previous(later(options="limit 9")) is None


def test_damaged_lines_are_passed_over_with_a_warning(history: History, capfd: pytest.CaptureFixture[str]) -> None:
    history.add(RUN)
    with history.path.open("ab") as file:
        file.write(b'{"when": 1}\n\xff\xfe\n\n{"when": "2026')
    history.add(later())
    assert history.runs() == [RUN, later()]
    said = capfd.readouterr().err
    assert [f"line {number} is damaged" in said for number in range(1, 7)] == [False, True, True, False, True, False]


def test_history_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / HISTORY_NAME).mkdir()
    with pytest.raises(StorageError, match="cannot be read"):
        History(tmp_path).runs()
    with pytest.raises(StorageError, match="cannot be written"):
        History(tmp_path).add(RUN)

import json
import logging

import pytest

from kb.observing import request_id
from kb.values.answers import Timings
from kb.values.happenings import FileEnded, IndexExchanged, QuestionEnded
from server.terminal.log_lines import JsonFormatter, log_happening


def entries(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    return [json.loads(JsonFormatter().format(record)) for record in caplog.records]


def test_a_question_is_one_object_with_its_numbers(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "server.terminal.log_lines")
    token = request_id.set("abc-1")
    timings = Timings(prompt_tokens=300, answer_tokens=20)
    log_happening(QuestionEnded("lookup", "auto", "answered", model="m", seconds=1.23456, passages=4, timings=timings))
    (entry,) = entries(caplog)
    request_id.reset(token)
    assert (
        entry
        | {
            "event": "question",
            "request_id": "abc-1",
            "level": "info",
            "outcome": "answered",
            "seconds": 1.235,
            "passages": 4,
            "prompt_tokens": 300,
        }
        == entry
    )
    assert str(entry["time"]).endswith("+00:00")


def test_a_file_is_one_object_and_what_else_happens_is_none(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "server.terminal.log_lines")
    log_happening(IndexExchanged())
    log_happening(FileEnded("indexed", "d1", chunks=3, size_bytes=100, read_seconds=0.5, index_seconds=0.25))
    (entry,) = entries(caplog)
    assert (entry["event"], entry["document_id"], entry["chunks"], entry["index_seconds"]) == ("file", "d1", 3, 0.25)


def test_what_is_logged_otherwise_has_a_message_on_one_line() -> None:
    try:
        raise ValueError("odd")
    except ValueError:
        import sys

        record = logging.LogRecord("kb.x", logging.ERROR, "x.py", 1, "a\n%s", ("b",), sys.exc_info())
    line = JsonFormatter().format(record)
    entry = json.loads(line)
    assert "\n" not in line
    assert (entry["logger"], entry["message"], entry["level"]) == ("kb.x", "a\nb", "error")
    assert "ValueError" in entry["exception"]

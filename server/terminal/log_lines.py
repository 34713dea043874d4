"""The log: one line a question or file, with counts and seconds; as JSON, for programs that gather logs.

Invariant: neither a question nor an answer nor a text of a document is logged.
"""

import dataclasses
import datetime
import json
import logging
import sys

from kb.observing import request_id
from kb.values.happenings import FileEnded, Happening, QuestionEnded

logger = logging.getLogger(__name__)

_DIGITS = 3
_NAMES = {QuestionEnded: "question", FileEnded: "file"}


def log_happening(happening: Happening) -> None:
    """Logs a question or a file that has ended; text has lines of files from where they are indexed."""
    name = _NAMES.get(type(happening))
    if name is None:
        return
    fields = {**dataclasses.asdict(happening)}
    fields = {
        key: round(value, _DIGITS) if isinstance(value, float) else value
        for key, value in (fields | fields.pop("timings", {})).items()
    }
    if isinstance(happening, QuestionEnded):
        line = (
            f"question {happening.outcome}: {happening.kind}, {happening.passages} passages, {happening.seconds:.1f} s"
        )
        logger.info(line, extra={"event": name, "fields": fields})
    else:
        logger.debug("file %s", happening, extra={"event": name, "fields": fields})


class JsonFormatter(logging.Formatter):
    """One object a line: `time`, `level`, `event`, `request_id`; then the fields of the event, or `message`."""

    def format(self, record: logging.LogRecord) -> str:
        """The whole entry."""
        entry = {
            "time": datetime.datetime.fromtimestamp(record.created, datetime.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": getattr(record, "event", "log"),
            "request_id": request_id.get(),
        }
        if hasattr(record, "fields"):
            return json.dumps(entry | record.fields, ensure_ascii=False)
        entry |= {"logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            entry["exception"] = self.formatException(record.exc_info)
        return json.dumps(entry, ensure_ascii=False)


def set_up_json_log() -> None:
    """Has everything logged as JSON on standard error; rotating and keeping it is for the system."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("kb", "server"):
        logging.getLogger(name).setLevel(logging.INFO)
    logger.setLevel(logging.DEBUG)

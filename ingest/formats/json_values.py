"""JSON: each value on a line with the keys that lead to it, so that it is found by them.

Of a list, and of JSON Lines, each record is a paragraph.
"""

import json
from collections.abc import Iterator

from ingest.formats.converted import converted
from ingest.formats.markdown import file_text
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document


class JsonLoader:
    """Reads JSON and JSON Lines."""

    media_type = "application/json"
    extensions = (".json", ".jsonl", ".ndjson")
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads values.

        Raises:
            UnreadableFile: It is empty, not text, or not JSON.
        """
        text = file_text(data)
        try:
            values = [json.loads(text)]
        except (ValueError, RecursionError) as error:
            try:
                values = [json.loads(line) for line in text.splitlines() if line.strip()]
            except (ValueError, RecursionError):
                raise UnreadableFile(f"not JSON: {error}", "mend it there") from error
        return converted(name, self.media_type, ["\n\n".join(map(_written, values))], heading_is_title=False)


def _written(value: object) -> str:
    """Records of a list are paragraphs; all else is a line each."""
    if isinstance(value, list):
        return "\n\n".join("\n".join(_lines(each, "")) for each in value)
    return "\n".join(_lines(value, ""))


def _lines(value: object, path: str) -> Iterator[str]:
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _lines(each, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list) and any(isinstance(each, dict | list) for each in value):
        for number, each in enumerate(value, start=1):
            yield from _lines(each, f"{path} {number}".strip())
    else:
        each = ", ".join(map(_scalar, value)) if isinstance(value, list) else _scalar(value)
        yield f"{path}: {each}" if path else each


def _scalar(value: object) -> str:
    return " ".join(value.split()) if isinstance(value, str) else json.dumps(value)

"""Jupyter notebooks: Markdown as it is, code with what it has printed.

Lost are pictures, and tables that are shown as HTML only.
"""

import json
from collections.abc import Iterator
from typing import Any

from ingest.formats.converted import converted
from ingest.formats.markdown import file_text
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_MAX_OUTPUT_CHARS = 4_000


class NotebookLoader:
    """Reads IPYNB."""

    media_type = "application/x-ipynb+json"
    extensions = (".ipynb",)
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a notebook.

        Raises:
            UnreadableFile: It is empty, no notebook, or has no text.
        """
        try:
            notebook = json.loads(file_text(data))
            cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
            text = "\n\n".join(part for cell in cells for part in _parts(cell) if part.strip())
        except (ValueError, KeyError, IndexError, TypeError, AttributeError, RecursionError) as error:
            raise UnreadableFile("broken: it is no notebook", "open it in Jupyter, and save it again") from error
        return converted(name, self.media_type, [text])


def _parts(cell: dict[str, Any]) -> Iterator[str]:
    source = _joined(cell.get("source", cell.get("input", "")))
    if cell["cell_type"] == "heading":  # until version 3 of the format
        yield f"{'#' * int(cell.get('level', 1))} {source}"
        return
    if cell["cell_type"] != "code":
        yield source
        return
    yield _fenced(source)
    for output in cell.get("outputs", ()):
        printed = _joined(output.get("text") or output.get("data", {}).get("text/plain", ""))
        if printed.strip():
            yield _fenced(printed[:_MAX_OUTPUT_CHARS])


def _joined(lines: str | list[str]) -> str:
    """One text of lines, which until version 3 of the format might be written without their ends."""
    if isinstance(lines, str):
        return lines
    return ("" if lines and lines[0].endswith("\n") else "\n").join(lines)


def _fenced(code: str) -> str:
    fence = "````" if "```" in code else "```"
    return f"{fence}\n{code.strip()}\n{fence}" if code.strip() else ""

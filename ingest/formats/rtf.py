"""Rich text: its words, headings and tables.

Lost are other styles, pictures, notes at the foot of pages.
"""

import re
from collections.abc import Iterator

from ingest.formats.converted import converted, markdown_table
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_ROW_BEGINS, _CELL_ENDS, _ROW_ENDS = "\ue000", "\ue001", "\ue002"
_MARKS = {"trowd": _ROW_BEGINS, "cell": _CELL_ENDS, "row": _ROW_ENDS}
_TITLE = re.compile(r"\{\\title ([^{}]*)\}")
_HEADING_STYLE = re.compile(r"\{\\s(\d+)\b[^{}]*\bheading ([1-6]);\}", re.IGNORECASE)
_LAYOUT = re.compile(r"\\(?:(?P<table>trowd|cell|row)|outlinelevel(?P<outline>[0-5])|s(?P<style>\d+))(?![a-zA-Z\d])")
_HEADING_AGAIN = re.compile(r"^(?:#+ )+(?=#+ )")


class RtfLoader:
    """Reads RTF."""

    media_type = "application/rtf"
    extensions = (".rtf",)
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a rich text.

        Raises:
            UnreadableFile: It is empty, of another kind, or has no text.
        """
        from striprtf.striprtf import rtf_to_text

        if not data.strip():
            raise UnreadableFile("the file is empty")
        if not data.lstrip().startswith(b"{\\rtf"):
            raise UnreadableFile("not RTF: it does not begin as such a file does", "give it the extension that fits")
        if not data.rstrip(b"\0 \t\r\n").endswith(b"}"):
            raise UnreadableFile("broken: it ends in the middle", "open it where it was made, and save it again")
        source = data.decode("latin-1")
        text = rtf_to_text(_with_marks(source), errors="ignore")
        title = _TITLE.search(source)
        return converted(
            name,
            self.media_type,
            ["\n\n".join(filter(None, _paragraphs(text)))],
            title=rtf_to_text(f"{{\\rtf1 {title[1]}}}", errors="ignore") if title else "",
        )


def _with_marks(source: str) -> str:
    """Writes into the text what is a command of layout: where rows and cells of tables end, and what is a heading."""
    levels = {style: int(level) for style, level in _HEADING_STYLE.findall(source)}

    def as_text(match: re.Match[str]) -> str:
        if match["table"]:
            return f"{{\\uc1\\u{ord(_MARKS[match['table']]) - 0x10000}?}}"
        level = int(match["outline"]) + 1 if match["outline"] else levels.get(match["style"], 0)
        return f"{match[0]} {'#' * level} " if level else match[0]

    return _LAYOUT.sub(as_text, source)


def _paragraphs(text: str) -> Iterator[str]:
    *rows_and_before, rest = text.split(_ROW_ENDS)
    table: list[list[str]] = []
    for part in rows_and_before:
        before, _, row = part.partition(_ROW_BEGINS)
        if before.strip(" "):
            yield markdown_table(table)
            yield from _lines(before)
            table = []
        cells = row.replace(_ROW_BEGINS, "").strip().removesuffix(_CELL_ENDS)
        table.append(cells.split(_CELL_ENDS))
    yield markdown_table(table)
    yield from _lines(rest)


def _lines(text: str) -> Iterator[str]:
    for line in re.sub(f"[{_ROW_BEGINS}{_CELL_ENDS}]", " ", text).split("\n"):
        plain = _HEADING_AGAIN.sub("", " ".join(line.split()))
        if plain.strip("# "):
            yield plain

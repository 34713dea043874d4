"""What a chunk needs beyond its own words to be understood: title, headings, and what its table is about.

Pure. Each token of a context is embedded with every chunk that has it, so all of this is short.
"""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.chunking.units import Tokens
from ingest.formats.grammar import CELL_BORDER, CLOSED, COLONS
from ingest.formats.tables import header_line_count, is_delimiter_row
from kb.text.sentences import sentence_spans
from kb.values.documents import Block, BlockKind, Document
from kb.values.passages import heading_path

_SEPARATOR_TOKENS = 2
_MAX_PARENT_TOKENS = 10
_MAX_CAPTION_CHARS = 240
_MIN_CLIPPED_TOKENS = 8
_SENTENCE_END = re.compile(rf"[.!?。！？；;]{CLOSED}")


def named_path(document: Document, headings: tuple[str, ...]) -> tuple[str, ...]:
    """The headings under the document's own title, which is not said twice."""
    repeats_title = headings[:1] and headings[0].casefold() == document.title.casefold()
    return headings if repeats_title or not document.has_own_title else (document.title, *headings)


def path_context(path: Sequence[str], has_title: bool, holds_nearest: bool, tokens: Tokens, limit: int) -> str:
    """Writes the title, the nearest heading and a few words of the one above it on one line.

    Args:
        path: Outermost first; its parts are learned by `tokens`.
        has_title: Whether the first part is the document's title; it may take half of the limit.
        holds_nearest: Whether the chunk begins with the nearest heading, so that it need not be said again.
        limit: In tokens, as far as the counts of the parts add up.
    """
    *outer, nearest = path if path else ("",)
    title = outer.pop(0) if has_title and outer else ""
    if holds_nearest:
        nearest = ""
    title_room = max(limit // 2, limit - tokens[nearest] - _SEPARATOR_TOKENS)
    left = limit - (min(tokens[title], title_room) + _SEPARATOR_TOKENS if title else 0)
    parent = _clipped(outer[-1], tokens[outer[-1]], _MAX_PARENT_TOKENS) if outer else ""
    if tokens[nearest] + _MAX_PARENT_TOKENS + _SEPARATOR_TOKENS > left:
        parent = ""
    parts = (_clipped(title, tokens[title], title_room), parent, _clipped(nearest, tokens[nearest], left))
    return heading_path([part for part in parts if part])


def names_context(names: Sequence[str], tokens: Tokens, limit: int) -> str:
    """Writes what else a document is called and who wrote it, as many names as fit into a limit in tokens."""
    kept, left = [], limit
    for name in names:
        if tokens[name] + 1 <= left:
            kept.append(name)
            left -= tokens[name] + 1  # the comma
    return ", ".join(kept)


@dataclass(frozen=True, slots=True)
class TableLead:
    """What stands before the rows of a table.

    Attributes:
        begins: Where the table begins; a chunk that begins in it and after these parts is given them.
        ends: Where it ends.
        parts: Texts with the places where they end: the sentence that leads to the table, and its header.
    """

    begins: int
    ends: int
    parts: tuple[tuple[int, str], ...]


def missing_lead(leads: Sequence[TableLead], start: int) -> list[str]:
    """What a chunk that begins at a place lacks of what stands before the rows of its table.

    Args:
        leads: Of a document, in order.
    """
    place = bisect_right(leads, start, key=lambda lead: lead.begins) - 1
    if place < 0 or start >= leads[place].ends:
        return []
    return [part for end, part in leads[place].parts if end <= start]


def table_leads(text: str, blocks: Sequence[Block]) -> Iterator[TableLead]:
    """Finds the leads of the tables of a document.

    A table that stands right under another one, or at the top of the next page, and has no header, is taken for its
    continuation.
    """
    before: Block | None = None
    caption: tuple[tuple[int, str], ...] = ()
    header: tuple[tuple[int, str], ...] = ()
    for block in blocks:
        if block.kind is BlockKind.TABLE:
            own_header = _header(text, block)
            if before is None or before.kind is not BlockKind.TABLE or (own_header and before.page != block.page):
                caption, header = _caption(text, before), ()
            header = own_header or header
            yield TableLead(block.start, block.end, (*caption, *header))
        before = block


def table_context(parts: Sequence[str], tokens: Tokens, limit: int) -> str:
    """Writes what a table is about, clipped to a limit in tokens; what stands over its header is clipped to half."""
    if not parts:
        return ""
    written: list[str] = []
    left = limit
    least = sum(min(tokens[part], _MIN_CLIPPED_TOKENS) for part in parts[:-1])
    for part in reversed(parts):
        room = min(left, limit // 2) if written else limit - least
        if room >= min(tokens[part], _MIN_CLIPPED_TOKENS):
            written.append(_clipped(part, tokens[part], room))
            left -= min(tokens[part], room)
    return "\n".join(reversed(written))


def _caption(text: str, block: Block | None) -> tuple[tuple[int, str], ...]:
    """The last sentence before a table if it leads to it, or what stands above it and is no sentence."""
    if block is None or block.kind is not BlockKind.PROSE:
        return ()
    content = text[block.start : block.end]
    start, _ = sentence_spans(content)[-1]
    sentence = " ".join(content[start:].split())
    is_lead = sentence.endswith(COLONS) or not (_SENTENCE_END.search(sentence) or len(sentence) > _MAX_CAPTION_CHARS)
    return ((block.end, sentence),) if is_lead else ()


def _header(text: str, block: Block) -> tuple[tuple[int, str], ...]:
    lines = text[block.start : block.end].split("\n")
    count = header_line_count(lines)
    header = " ".join(line for line in lines[:count] if not is_delimiter_row(line))
    end = block.start + sum(len(line) + 1 for line in lines[:count])
    return ((end, " | ".join(filter(None, CELL_BORDER.split(header)))),) if header.strip() else ()


def _clipped(text: str, size: int, limit: int) -> str:
    if size <= limit:
        return text
    kept = text[: len(text) * max(0, limit - 1) // size]
    whole_words, _, broken = kept.rpartition(" ")
    return (whole_words if len(broken) < len(whole_words) else kept).rstrip() + "…"

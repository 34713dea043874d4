"""Where the sections and blocks of a Markdown text are: CommonMark with tables, and what note-taking programs add.

The parser is used for structure alone: blocks are places in the text, which stays as it is. Rules, comments and marks
of blocks are part of the text and of no block.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import accumulate, takewhile
from operator import itemgetter
from typing import TYPE_CHECKING

from ingest.formats import obsidian
from kb.values.documents import Block, BlockKind

if TYPE_CHECKING:
    from markdown_it.token import Token

_KINDS = {
    "heading_open": BlockKind.HEADING,
    "paragraph_open": BlockKind.PROSE,
    "bullet_list_open": BlockKind.PROSE,
    "ordered_list_open": BlockKind.PROSE,
    "blockquote_open": BlockKind.PROSE,
    "html_block": BlockKind.PROSE,
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
    "table_open": BlockKind.TABLE,
}
_LONG_LIST_CHARS = 1500
_ATTRIBUTES = re.compile(r"\s*\{\s*[#.:][^{}]*\}\s*$")  # `# Title { #anchor .class }`
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


class MarkdownBlocks:
    """Walks once over the tokens of a text.

    Args:
        start: Where the Markdown begins in the text.
        is_note: Whether comments and marks of note-taking programs are left out.

    Attributes:
        title: The first heading of level 1, once the blocks have been read.
        comments: Where they stand, each with its `%%`, in a note.
    """

    def __init__(self, text: str, start: int = 0, *, is_note: bool = True) -> None:
        from markdown_it import MarkdownIt

        # Without references, `[name]: url` lines are paragraphs like others, and can be found.
        self._tokens = MarkdownIt("commonmark").enable("table").disable(["inline", "reference"]).parse(text[start:])
        self._inline = MarkdownIt("commonmark")
        self._text = text
        self._is_note = is_note
        self._line_starts = list(accumulate((len(line) + 1 for line in text[start:].split("\n")), initial=start))
        self._path: list[tuple[int, str]] = []
        self._code = [self._span(token) for token in self._tokens if _KINDS.get(token.type) is BlockKind.CODE]
        self.title = ""
        self.comments = list(obsidian.comment_spans(text, start, self.is_code)) if is_note else []

    def blocks(self) -> Iterator[Block]:
        """Gives the blocks in order, without comments and marks."""
        blocks = _with_whole_headers(
            self._text, (block for place, token in enumerate(self._tokens) for block in self._blocks_of(place, token))
        )
        if not self._is_note:
            yield from blocks
            return
        marks = obsidian.block_ids(self._text, self._line_starts[0])
        for block in blocks:
            hidden = [*self.comments, (marks[block.end], block.end)] if block.end in marks else self.comments
            yield from _visible(self._text, block, hidden) if hidden and block.kind is not BlockKind.CODE else [block]

    def is_code(self, place: int) -> bool:
        """Whether a character stands in a code block, or between two backticks on its line."""
        code = bisect_right(self._code, place, key=itemgetter(0)) - 1
        if code >= 0 and place < self._code[code][1]:
            return True
        line_start = self._text.rfind("\n", 0, place) + 1
        return self._text.count("`", line_start, place) % 2 == 1

    def _blocks_of(self, place: int, token: "Token") -> Iterator[Block]:
        if token.level > 0 or token.type not in _KINDS:
            return
        if token.type == "heading_open":
            self._enter_section(int(token.tag[1:]), self._plain(self._tokens[place + 1].content))
        start, end = self._span(token)
        if token.type == "html_block" and not _COMMENT.sub("", self._text[start:end]).strip():
            return
        spans = [(start, end)]
        if token.type.endswith("_list_open") and end - start > _LONG_LIST_CHARS:
            spans = list(self._items(place))
        headings = tuple(title for _, title in self._path)
        yield from (Block(left, right, _KINDS[token.type], headings) for left, right in spans if left < right)

    def _items(self, place: int) -> Iterator[tuple[int, int]]:
        for token in self._tokens[place + 1 :]:
            if token.level == 0:
                return
            if token.level == 1 and token.type == "list_item_open":
                yield self._span(token)

    def _enter_section(self, level: int, title: str) -> None:
        while self._path and self._path[-1][0] >= level:
            self._path.pop()
        if title:
            self._path.append((level, title))
        if level == 1:
            self.title = self.title or title

    def _plain(self, heading: str) -> str:
        children = self._inline.parseInline(_ATTRIBUTES.sub("", heading))[0].children or []
        parts = (
            " " if child.type.endswith("break") else child.content for child in children if child.type != "html_inline"
        )
        return " ".join("".join(parts).split())

    def _span(self, token: "Token") -> tuple[int, int]:
        first, last = token.map or (0, 0)
        start, end = self._line_starts[first], min(self._line_starts[last], len(self._text))
        piece = self._text[start:end]
        return start + len(piece) - len(piece.lstrip()), start + len(piece.rstrip())


def _with_whole_headers(text: str, blocks: Iterable[Block]) -> Iterator[Block]:
    """Joins rows that stand right above a table, which Markdown takes for prose, to the table: a header of several."""
    before: Block | None = None
    for block in blocks:
        if (
            before
            and block.kind is BlockKind.TABLE
            and before.kind is BlockKind.PROSE
            and block.start == before.end + 1
        ):
            lines = text[before.start : before.end].split("\n")
            rows = list(takewhile(lambda line: line.count("|") > 1, reversed(lines)))
            start = before.end - sum(len(row) + 1 for row in rows) + 1
            block = replace(block, start=start) if rows else block
            before = replace(before, end=start - 1) if len(rows) < len(lines) else None
        if before:
            yield before
        before = block
    if before:
        yield before


def _visible(text: str, block: Block, hidden: Sequence[tuple[int, int]]) -> Iterator[Block]:
    """The pieces of a block that are left without what is hidden."""
    start = block.start
    for left, right in [*(span for span in hidden if span[0] < block.end and block.start < span[1]), (block.end, 0)]:
        piece = text[start:left]
        if stripped := piece.strip():
            start += len(piece) - len(piece.lstrip())
            yield replace(block, start=start, end=start + len(stripped))
        start = max(start, right)

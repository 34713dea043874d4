"""Cuts blocks into units, the least that chunks are made of: sentences, list items, table rows, code blocks.

Pure. Says what it would cost to begin a chunk with a unit; which ones are joined is decided elsewhere. Invariant: the
units of a block are in order, do not overlap, and together hold all of it but white space.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, chain, groupby, islice, pairwise, repeat
from typing import TypeVar

from ingest.chunking.packing import Unit
from ingest.formats.grammar import BULLETS, COLONS, PARAGRAPH_BREAK
from ingest.formats.tables import header_line_count, is_row
from kb.text.sentences import sentence_spans
from kb.values.documents import Block, BlockKind

TokenCounter = Callable[[Sequence[str]], list[int]]
Member = TypeVar("Member")

# What a cut costs, on the scale of the squared deviation of a chunk from its target; between blocks it is free.
_BETWEEN_ITEMS = 0.02
_BETWEEN_SENTENCES = 0.1
_BETWEEN_ROWS = 0.1
_SEPARATORS = (
    (PARAGRAPH_BREAK, 0.1),
    (re.compile(r"\n\s*"), 0.3),
    (re.compile(r"[,;:](?=\s)|[，；：、]"), 0.5),
    (re.compile(r"\s+"), 0.6),
)
_CUT_ANYWHERE = 0.8
_LIST_ITEM = re.compile(
    rf"[{BULLETS}][ \t]"
    r"|\(?[\da-zA-Z]{1,3}[.)][ \t]"
    r"|[\d一二三四五六七八九十]{1,3}[、．]|（[\d一二三四五六七八九十]{1,3}）"
)
_OPENING = re.compile(r"\s*(?:/{3,}|:{3,})\s*\S.*|\s*<[a-zA-Z][^<>]*>\s*")
_CLOSING = re.compile(r"\s*(?:/{3,}|:{3,}|</[^<>]*>)\s*")
_PIECES_PER_CHUNK = 4
_ROW_WEIGHT = 0.6  # figures are many tokens and few words

COUNTED_CHARS, COUNTED_TEXTS = 16_384, 256
"""So much goes to the counter at once: nothing can be interrupted inside of a call, and a character may become 18."""

_REFINED_CHARS = 16 * COUNTED_CHARS
"""So much text is in work at the same time; what it takes meanwhile is many times its length."""

CHARS_PER_TOKEN = 64
"""A text counts for one token per so many characters at least: there are characters that a tokenizer does not see."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Lengths in tokens: what chunks come near, and what the text of one does not exceed, without and with code."""

    target: int
    prose: int
    code: int


class Tokens:
    """Remembers token counts, so that the counter is called seldom and with many texts.

    Args:
        count: Is given texts of limited length; what is longer is counted in pieces.
        check: Called before each call of the counter; what it raises ends the work.
    """

    def __init__(self, count: TokenCounter, check: Callable[[], None] = lambda: None) -> None:
        self._count = count
        self.check = check
        self._known: dict[str, int] = {"": 0}

    def learn(self, texts: Iterable[str]) -> None:
        """Counts all texts that are not known."""
        unknown = dict.fromkeys(text for text in texts if text not in self._known)
        self._known.update(dict.fromkeys(unknown, 0))
        pieces = (
            (text, text[start : start + COUNTED_CHARS])
            for text in unknown
            for start in range(0, len(text), COUNTED_CHARS)
        )
        for batch in _batches(pieces, lambda member: len(member[1]), COUNTED_CHARS, COUNTED_TEXTS):
            self.check()
            for (text, piece), count in zip(batch, self._count([piece for _, piece in batch]), strict=True):
                self._known[text] += max(count, len(piece) // CHARS_PER_TOKEN)

    def forgetful(self) -> "Tokens":
        """One that counts likewise and knows nothing yet: what it learns goes with it."""
        return Tokens(self._count, self.check)

    def each(self, texts: Iterable[str]) -> Iterator[int]:
        """Counts texts one after the other, and remembers none of them."""
        for batch in _batches(texts, len, _REFINED_CHARS):
            known = self.forgetful()
            known.learn(batch)
            yield from (known[text] for text in batch)

    def __getitem__(self, text: str) -> int:
        """The count of a text that was learned."""
        return self._known[text]


def units(
    text: str, groups: Sequence[Sequence[Block]], tokens: Tokens, limits: Limits
) -> Iterator[tuple[int, Iterator[Unit]]]:
    """Cuts groups of blocks into units, none longer than its limit.

    A sentence that is too long is cut at its lines, else at its clauses, else at white space, else anywhere; a code
    block that is too long, at blank lines before all that.

    Args:
        groups: Each of them with blocks that may share a chunk.
        tokens: Counts the lengths of all units, and keeps none of them.

    Yields:
        The number of each group, and its units, which are to be taken before the next group is: few are held at a time.
    """
    coarse = (
        (number, unit) for number, blocks in enumerate(groups) for unit in _units(text, blocks, limits, tokens.check)
    )
    for number, members in groupby(_all_refined(text, coarse, tokens, limits), lambda member: member[0]):
        yield number, _with_companions(text, (unit for _, unit in members), limits)


def _all_refined(
    text: str, coarse: Iterable[tuple[int, Unit]], tokens: Tokens, limits: Limits
) -> Iterator[tuple[int, Unit]]:
    for batch in _batches(coarse, lambda member: member[1].end - member[1].start, _REFINED_CHARS):
        known = tokens.forgetful()
        pieces = _refined(text, _measured(text, [unit for _, unit in batch], known), known, limits)
        for (number, _), refined in zip(batch, pieces, strict=True):
            yield from ((number, unit) for unit in refined)


def _batches(
    members: Iterable[Member], size_of: Callable[[Member], int], max_size: int, max_count: int | None = None
) -> Iterator[list[Member]]:
    batch: list[Member] = []
    size = 0
    for member in members:
        size += size_of(member)
        if batch and (size > max_size or len(batch) == max_count):
            yield batch
            batch, size = [], size_of(member)
        batch.append(member)
    if batch:
        yield batch


def _units(text: str, blocks: Sequence[Block], limits: Limits, check: Callable[[], None]) -> Iterator[Unit]:
    for block in blocks:
        check()
        limit = limits.code if block.kind is BlockKind.CODE else limits.prose
        for start, end, cost, opens in _spans(text, block):
            yield Unit(start, end, cost, opens, limit, _ROW_WEIGHT if block.kind is BlockKind.TABLE else 1.0)


def _spans(text: str, block: Block) -> Iterator[tuple[int, int, float, bool]]:
    content = text[block.start : block.end]
    if block.kind is BlockKind.CODE:
        yield block.start, block.end, 0.0, True
    elif block.kind is BlockKind.TABLE:
        for place, (start, end) in enumerate(_rows(content)):
            yield block.start + start, block.start + end, _BETWEEN_ROWS if place else 0.0, not place
    else:
        before = 0
        for place, (start, end) in enumerate(sentence_spans(content)):
            begins_line = not place or "\n" in content[before:start]
            is_item = begins_line and _LIST_ITEM.match(content, start) is not None
            cost = 0.0 if not place else _BETWEEN_ITEMS if is_item else _BETWEEN_SENTENCES
            yield block.start + start, block.start + end, cost, is_item or not place
            before = end


def _rows(table: str) -> Iterator[tuple[int, int]]:
    """The rows; with the first one goes the header, and with each what stands over it alone: a label, a broken line."""
    lines = table.split("\n")
    begins = list(accumulate((len(line) + 1 for line in lines), initial=0))
    header = header_line_count(lines)
    ends = [place for place, line in enumerate(lines, start=1) if place > header and ("|" in line or is_row(line))]
    for first, last in pairwise(sorted({0, *ends, len(lines)})):
        content = table[begins[first] : begins[last] - 1]
        if stripped := content.strip():
            start = begins[first] + len(content) - len(content.lstrip())
            yield start, start + len(stripped)


def _measured(text: str, pieces: Iterable[Unit], tokens: Tokens) -> list[Unit]:
    pieces = list(pieces)
    tokens.learn(text[piece.start : piece.end] for piece in pieces)
    return [replace(piece, tokens=max(1, tokens[text[piece.start : piece.end]])) for piece in pieces]


def _refined(text: str, coarse: list[Unit], tokens: Tokens, limits: Limits) -> list[list[Unit]]:
    """Cuts units that no chunk can hold, at the coarsest separators that do."""
    groups = [[unit] for unit in coarse]
    separators = chain(_SEPARATORS, repeat((None, _CUT_ANYWHERE)))
    while any(_is_too_long(unit) for group in groups for unit in group):
        tokens.check()
        separator, cost = next(separators)
        cut = [[list(_pieces(text, unit, separator, cost)) for unit in group] for group in groups]
        measured = iter(_measured(text, chain.from_iterable(chain.from_iterable(cut)), tokens))
        groups = [
            [unit for pieces in group for unit in _coalesced(islice(measured, len(pieces)), limits)] for group in cut
        ]
    return groups


def _with_companions(text: str, units: Iterable[Unit], limits: Limits) -> Iterator[Unit]:
    """Joins what says nothing alone: a line that ends in a colon to what it leads to, and markup to what it holds."""
    before: Unit | None = None
    for unit in units:
        if before is None:
            before = unit
        elif before.tokens + unit.tokens <= max(before.limit, unit.limit) and (
            (_leads_on(text[before.start : before.end]) and before.tokens <= limits.target)
            or _CLOSING.fullmatch(text, unit.start, unit.end)
        ):
            before = _joined(before, unit)
        else:
            yield before
            before = unit
    if before is not None:
        yield before


def _leads_on(content: str) -> bool:
    return content.endswith(COLONS) or _OPENING.fullmatch(content.rpartition("\n")[2]) is not None


def _joined(unit: Unit, following: Unit) -> Unit:
    return replace(
        unit,
        end=following.end,
        limit=max(unit.limit, following.limit),
        weight=(unit.size + following.size) / (unit.tokens + following.tokens),
        tokens=unit.tokens + following.tokens,
    )


def _is_too_long(unit: Unit) -> bool:
    return unit.tokens > unit.limit and unit.end - unit.start > 1


def _pieces(text: str, unit: Unit, separator: re.Pattern[str] | None, cost: float) -> Iterator[Unit]:
    if not _is_too_long(unit):
        yield unit
        return
    if separator:
        cuts = [match.end() for match in separator.finditer(text, unit.start, unit.end)]
    else:
        step = max(1, (unit.end - unit.start) * unit.limit // (2 * _PIECES_PER_CHUNK * unit.tokens))
        cuts = list(range(unit.start + step, unit.end, step))
    first = True
    for start, end in pairwise([unit.start, *cuts, unit.end]):
        piece = text[start:end]
        if stripped := piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            right = left + len(stripped)
            yield (
                replace(unit, start=left, end=right)
                if first
                else Unit(left, right, cost, False, unit.limit, unit.weight)
            )
            first = False


def _coalesced(pieces: Iterable[Unit], limits: Limits) -> list[Unit]:
    """Joins small neighbours again: a chunk is made of a few pieces, whatever they are."""
    joined: list[Unit] = []
    for piece in pieces:
        enough = piece.limit // 2 if piece.limit > limits.prose else limits.target // _PIECES_PER_CHUNK
        if joined and joined[-1].tokens + piece.tokens <= enough:
            joined[-1] = _joined(joined[-1], piece)
        else:
            joined.append(piece)
    return joined

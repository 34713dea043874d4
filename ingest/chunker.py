"""Cuts a document into chunks that are embedded and found as one.

Pure. A chunk never crosses a section or a page, and is cut between sentences wherever it can be. Invariant: chunks are
in order and do not overlap, and every character of every block is in one of them, but for white space and headings.
"""

import math
import re
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate, chain, groupby, islice, pairwise, repeat

from kb.text import sentence_spans
from kb.types import Block, BlockKind, Chunk, Document, heading_path

TARGET_TOKENS = 220
MAX_TOKENS = 320
_MAX_CONTEXT_TOKENS = 60

TokenCounter = Callable[[Sequence[str]], list[int]]

# What a cut costs, on the scale of the squared deviation of a chunk from its target; between blocks it is free.
_BETWEEN_SENTENCES = 0.1
_SEPARATORS = (
    (re.compile(r"\n[^\S\n]*\n\s*"), 0.1),
    (re.compile(r"\n\s*"), 0.3),
    (re.compile(r"[,;:](?=\s)|[，；：、]"), 0.5),
    (re.compile(r"\s+"), 0.6),
)
_CUT_ANYWHERE = 0.8
_PIECES_PER_CHUNK = 8
_LAID_OUT_WHOLE = 3  # chunks: a section of no more than these is not divided further
_BLOCK_PREFERENCE = 0.3


@dataclass(frozen=True, slots=True)
class _Section:
    """Blocks under one heading and on one page, with nothing between them but white space."""

    heading: Block | None
    blocks: list[Block] = field(default_factory=list)

    @property
    def first(self) -> Block:
        return self.heading or self.blocks[0]


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is kept together: a sentence, a whole table, or a piece of one that is too long.

    Attributes:
        cut_cost: What it costs to begin a chunk with it.
    """

    section: int
    start: int
    end: int
    cut_cost: float
    tokens: int = 0


class _Tokens:
    """Remembers token counts, so that the counter is called seldom and with many texts."""

    def __init__(self, count: TokenCounter) -> None:
        self._count = count
        self._known: dict[str, int] = {"": 0}

    def learn(self, texts: Iterable[str]) -> None:
        unknown = list(dict.fromkeys(text for text in texts if text not in self._known))
        if unknown:
            self._known.update(zip(unknown, self._count(unknown), strict=True))

    def __getitem__(self, text: str) -> int:
        return self._known[text]


def chunk(
    document: Document,
    count_tokens: TokenCounter,
    *,
    target_tokens: int = TARGET_TOKENS,
    max_tokens: int = MAX_TOKENS,
) -> tuple[Chunk, ...]:
    """Cuts a document into chunks.

    A heading goes with the text that follows it; one without text of its own is left to the context of the others. Code
    and tables stay whole as far as a chunk can hold them, and are cut between lines if not. A sentence that is too long
    is cut at its clauses, else at white space, else anywhere.

    Args:
        count_tokens: Counts the tokens of each of many texts; it is called a few times, whatever the document's length.
        target_tokens: The length that chunks come near, context included.
        max_tokens: The length that no chunk exceeds, context included, as far as the counts of its parts add up.

    Returns:
        Chunks in order, with headings and page of the section they lie in.
    """
    text, tokens = document.text, _Tokens(count_tokens)
    sections = _sections(document)
    contexts = _contexts(document, sections, tokens, min(_MAX_CONTEXT_TOKENS, max_tokens // 4))
    tokens.learn(chain(contexts, (_text_of(text, section.heading) for section in sections)))
    longest = max(1, max_tokens - max((tokens[context] for context in contexts), default=0))
    units = _refined(text, _measured(text, _units(text, sections), tokens), tokens, longest)
    chunks = []
    for number, members in groupby(units, key=lambda unit: unit.section):
        section, context = sections[number], contexts[number]
        room = max_tokens - tokens[context]
        joined = _with_heading(section.heading, tokens[_text_of(text, section.heading)], list(members), room)
        target = max(1, min(target_tokens, max_tokens) - tokens[context])
        for stretch in _stretches(text, joined, target):
            for start, end in _laid_out(stretch, target, room):
                chunks.append(Chunk(start, end, text[start:end], section.first.headings, section.first.page, context))
    tokens.learn(piece.text for piece in chunks)
    return tuple(replace(piece, tokens=tokens[piece.context] + tokens[piece.text]) for piece in chunks)


def _text_of(text: str, block: Block | None) -> str:
    return text[block.start : block.end] if block else ""


def _sections(document: Document) -> list[_Section]:
    """Groups blocks; headings without text are dropped, or kept as text where there is nothing else."""
    blocks: Sequence[Block] = document.blocks
    if all(block.kind is BlockKind.HEADING for block in blocks):
        blocks = [replace(block, kind=BlockKind.PROSE, headings=()) for block in blocks]
    sections: list[_Section] = []
    end = 0
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            sections.append(_Section(block))
        elif sections and _continues(sections[-1].first, block) and not document.text[end : block.start].strip():
            sections[-1].blocks.append(block)
        else:
            sections.append(_Section(None, [block]))
        end = block.end
    return [section for section in sections if section.blocks]


def _continues(first: Block, block: Block) -> bool:
    return (first.headings, first.page) == (block.headings, block.page)


def _contexts(document: Document, sections: Sequence[_Section], tokens: _Tokens, limit: int) -> list[str]:
    paths = [_named_path(document, section.first.headings) for section in sections]
    tokens.learn(chain.from_iterable(paths))
    return [heading_path(_shortened(path, tokens, limit)) for path in paths]


def _named_path(document: Document, headings: tuple[str, ...]) -> tuple[str, ...]:
    repeats_title = headings[:1] and headings[0].casefold() == document.title.casefold()
    return headings if repeats_title or not document.has_own_title else (document.title, *headings)


def _shortened(path: Sequence[str], tokens: _Tokens, limit: int) -> list[str]:
    """Clips long titles, then leaves out those after the first, so that the nearest heading stays."""
    share = limit // min(2, len(path)) if path else 0
    sizes = [min(tokens[title], share) for title in path]
    skipped = next(n for n in range(max(1, len(path) - 1)) if sum(sizes[:1]) + sum(sizes[n + 1 :]) <= limit)
    kept = [*path[:1], *path[skipped + 1 :]]
    return [_clipped(title, tokens[title], share) for title in kept]


def _clipped(title: str, size: int, limit: int) -> str:
    return title if size <= limit else title[: len(title) * max(0, limit - 1) // size].rstrip() + "…"


def _units(text: str, sections: Sequence[_Section]) -> Iterator[_Unit]:
    for number, section in enumerate(sections):
        for block in section.blocks:
            spans = [(0, block.end - block.start)]
            if block.kind is BlockKind.PROSE:
                spans = sentence_spans(text[block.start : block.end])
            for place, (start, end) in enumerate(spans):
                cost = _BETWEEN_SENTENCES if place else 0.0
                yield _Unit(number, block.start + start, block.start + end, cost)


def _measured(text: str, units: Iterable[_Unit], tokens: _Tokens) -> list[_Unit]:
    units = list(units)
    tokens.learn(text[unit.start : unit.end] for unit in units)
    return [replace(unit, tokens=max(1, tokens[text[unit.start : unit.end]])) for unit in units]


def _refined(text: str, units: list[_Unit], tokens: _Tokens, longest: int) -> list[_Unit]:
    """Cuts units that no chunk can hold, at the coarsest separators that do."""
    separators = chain(_SEPARATORS, repeat((None, _CUT_ANYWHERE)))
    while any(_is_too_long(unit, longest) for unit in units):
        separator, cost = next(separators)
        pieces = [_pieces(text, unit, separator, cost, longest) for unit in units]
        measured = iter(_measured(text, chain.from_iterable(pieces), tokens))
        units = [unit for group in pieces for unit in _coalesced(islice(measured, len(group)), longest)]
    return units


def _is_too_long(unit: _Unit, longest: int) -> bool:
    return unit.tokens > longest and unit.end - unit.start > 1


def _pieces(text: str, unit: _Unit, separator: re.Pattern[str] | None, cost: float, longest: int) -> list[_Unit]:
    if not _is_too_long(unit, longest):
        return [unit]
    if separator:
        cuts = [match.end() for match in separator.finditer(text, unit.start, unit.end)]
    else:
        step = max(1, (unit.end - unit.start) * longest // (2 * unit.tokens))
        cuts = list(range(unit.start + step, unit.end, step))
    pieces: list[_Unit] = []
    for start, end in pairwise([unit.start, *cuts, unit.end]):
        piece = text[start:end]
        if stripped := piece.strip():
            left = start + len(piece) - len(piece.lstrip())
            pieces.append(_Unit(unit.section, left, left + len(stripped), cost if pieces else unit.cut_cost))
    return pieces


def _coalesced(pieces: Iterable[_Unit], longest: int) -> list[_Unit]:
    """Joins small neighbours again: a chunk is made of a few pieces, whatever they are."""
    joined: list[_Unit] = []
    for piece in pieces:
        if joined and joined[-1].tokens + piece.tokens <= longest // _PIECES_PER_CHUNK:
            joined[-1] = replace(joined[-1], end=piece.end, tokens=joined[-1].tokens + piece.tokens)
        else:
            joined.append(piece)
    return joined


def _with_heading(heading: Block | None, heading_tokens: int, units: list[_Unit], room: int) -> list[_Unit]:
    first, *rest = units
    if heading is None or heading_tokens + first.tokens > room:
        return units
    return [replace(first, start=heading.start, tokens=heading_tokens + first.tokens), *rest]


def _stretches(text: str, units: list[_Unit], target: int) -> Iterator[list[_Unit]]:
    """Divides a long section where its own words say, so that an edit changes the chunks around it and no others.

    A stretch begins with each unit whose hash is the least within half a chunk to either side: the local extremum
    method of content-defined chunking (Bjørner, Blass and Gurevich 2010). Units that begin a block have smaller hashes.
    """
    ends = list(accumulate(unit.tokens for unit in units))
    begins = [0, *ends[:-1]]
    reach = target // 2
    cuts = [0]
    if ends[-1] > _LAID_OUT_WHOLE * target:
        hashes = [_hash(text, unit) for unit in units]
        for n in range(bisect_left(begins, reach, 1), bisect_right(begins, ends[-1] - reach)):
            near = hashes[bisect_left(begins, begins[n] - reach) : bisect_right(begins, begins[n] + reach)]
            if hashes[n] == min(near) and near.count(hashes[n]) == 1:
                cuts.append(n)
    for begin, end in pairwise([*cuts, len(units)]):
        yield units[begin:end]


def _hash(text: str, unit: _Unit) -> float:
    number = zlib.crc32(text[unit.start : unit.end].encode())
    return number if unit.cut_cost else number * _BLOCK_PREFERENCE


def _laid_out(units: Sequence[_Unit], target: int, room: int) -> list[tuple[int, int]]:
    """Divides the units of a stretch into chunks as a whole, so that no tiny one is left at the end.

    The sum of the squared deviations from the target and of the costs of the cuts is the least possible, as in the
    line breaking of Knuth and Plass (1981).
    """
    costs, begins = [0.0], [0]
    for end in range(1, len(units) + 1):
        best_cost, best_begin, size = math.inf, end - 1, 0
        for begin in range(end - 1, -1, -1):
            size += units[begin].tokens
            if size > room and begin < end - 1:
                break
            cost = costs[begin] + ((size - target) / target) ** 2 + (units[begin].cut_cost if begin else 0.0)
            if cost < best_cost:
                best_cost, best_begin = cost, begin
        costs.append(best_cost)
        begins.append(best_begin)
    spans = []
    end = len(units)
    while end:
        spans.append((units[begins[end]].start, units[end - 1].end))
        end = begins[end]
    return spans[::-1]

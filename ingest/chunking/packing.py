"""Joins neighbouring units into chunks of about the same length, so that an edit changes the chunks around it alone.

Pure. Knows units by length, by what it costs to cut before them and by whether a paragraph begins there, and their
words only as a hash. Invariant: each unit is in one chunk, and the chunks are in order.
"""

import math
import zlib
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise

_ACROSS_PARAGRAPHS = 0.5
_LAID_OUT_WHOLE = 2  # chunks: units of no more than these are not divided further
_PARAGRAPH_PREFERENCE = 0.03
_MAX_STRETCH = 2  # chunks: most stretches are one, and an edit then changes three at the most
_MIN_ALONE, _MAX_TOGETHER = 0.5, 1.5  # chunks: two paragraphs that are not put together


@dataclass(frozen=True, slots=True)
class Unit:
    """What is kept together: a sentence, a code block, a row of a table, or a piece of one that is too long.

    Attributes:
        cut_cost: What it costs to begin a chunk with it.
        opens: Whether a paragraph, a list item, a code block or a table begins with it.
        limit: The most tokens of a chunk that holds it.
        weight: How much each of its tokens counts where the length of a chunk is compared with the target.
    """

    start: int
    end: int
    cut_cost: float
    opens: bool
    limit: int
    weight: float = 1.0
    tokens: int = 0

    @property
    def size(self) -> float:
        """Its length where chunks are compared with the target."""
        return self.weight * self.tokens


def packed(text: str, units: Iterable[Unit], target: int) -> Iterator[tuple[int, int]]:
    """Joins units into chunks.

    Args:
        text: What the units lie in.
        units: In order, measured, all of one section.
        target: The length in tokens that chunks come near.

    Yields:
        Where chunks begin and end in the text.
    """
    for run in _runs(units, target):
        stretches = list(_stretches(text, run, target))
        for stretch, following in pairwise([*stretches, ()]):
            if len(stretches) > 1 and _is_a_chunk(stretch, target):
                yield stretch[0].start, stretch[-1].end
            else:
                yield from _laid_out(stretch, target, not following or following[0].opens)


def _runs(units: Iterable[Unit], target: int) -> Iterator[Sequence[Unit]]:
    """Divides units between paragraphs of which one chunk does not hold two."""
    run: list[Unit] = []
    before = 0.0
    for paragraph in _paragraphs(units):
        size = sum(unit.size for unit in paragraph)
        stand_alone = min(before, size) >= _MIN_ALONE * target and before + size > _MAX_TOGETHER * target
        if run and stand_alone and not paragraph[0].cut_cost:
            yield run
            run = []
        run += paragraph
        before = size
    yield run


def _paragraphs(units: Iterable[Unit]) -> Iterator[list[Unit]]:
    paragraph: list[Unit] = []
    for unit in units:
        if unit.opens and paragraph:
            yield paragraph
            paragraph = []
        paragraph.append(unit)
    yield paragraph


def _stretches(text: str, run: Sequence[Unit], target: int) -> Iterator[Sequence[Unit]]:
    """Divides a long run where its own words say, so that an edit changes the chunks around it and no others.

    A stretch begins with each unit whose hash is the least within half a chunk to either side: the local extremum
    method of content-defined chunking (Bjørner, Blass and Gurevich 2010). Units that begin a paragraph have smaller
    hashes. There are about three sentences in a stretch, which then is a chunk as it is.
    """
    ends = list(accumulate(unit.size for unit in run))
    if ends[-1] <= _LAID_OUT_WHOLE * target:
        yield run
        return
    begins = [0.0, *ends[:-1]]
    reach = target / 2
    hashes = [_hash(text, unit) for unit in run]
    cuts = [0]
    for n in range(bisect_left(begins, reach, 1), bisect_right(begins, ends[-1] - reach)):
        near = hashes[bisect_left(begins, begins[n] - reach) : bisect_right(begins, begins[n] + reach)]
        if hashes[n] == min(near) and near.count(hashes[n]) == 1:
            cuts.append(n)
    for begin, end in pairwise([*cuts, len(run)]):
        yield run[begin:end]


def _is_a_chunk(stretch: Sequence[Unit], target: int) -> bool:
    tokens, limit = sum(unit.tokens for unit in stretch), max(unit.limit for unit in stretch)
    is_short = sum(unit.size for unit in stretch) <= _MAX_STRETCH * target and tokens <= limit
    return is_short and not any(unit.opens for unit in stretch[1:])


def _hash(text: str, unit: Unit) -> float:
    """A number in 0…1 that depends on the unit's words alone."""
    number = zlib.crc32(text[unit.start : unit.end].encode()) / 2**32
    return number * _PARAGRAPH_PREFERENCE if unit.opens else number


def _laid_out(units: Sequence[Unit], target: int, ends_whole: bool) -> Iterator[tuple[int, int]]:
    """Divides units into chunks as a whole, so that no tiny one is left at the end.

    The sum of the squared deviations from the target and of the costs of the cuts is the least possible, as in the
    line breaking of Knuth and Plass (1981). A unit that is longer than the target counts as long as that: it draws a
    short neighbour to itself rather than leave it alone.

    Args:
        ends_whole: Whether a paragraph ends with the last unit.
    """
    costs, begins = [0.0], [0]
    for end in range(1, len(units) + 1):
        is_whole_at_end = units[end].opens if end < len(units) else ends_whole
        best_cost, best_begin = math.inf, end - 1
        tokens, size, limit, crosses = 0, 0.0, 0, False
        for begin in range(end - 1, -1, -1):
            unit = units[begin]
            tokens += unit.tokens
            size += min(unit.size, target)
            limit = max(limit, unit.limit)
            if tokens > limit and begin < end - 1:
                break
            cost = costs[begin] + (size / target - 1) ** 2 + (unit.cut_cost if begin else 0.0)
            if crosses and not (unit.opens and is_whole_at_end):
                cost += _ACROSS_PARAGRAPHS
            if cost < best_cost:
                best_cost, best_begin = cost, begin
            crosses = crosses or unit.opens
        costs.append(best_cost)
        begins.append(best_begin)
    spans = []
    end = len(units)
    while end:
        spans.append((units[begins[end]].start, units[end - 1].end))
        end = begins[end]
    yield from reversed(spans)

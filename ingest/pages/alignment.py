"""Finds each character of a page's extracted text among the characters that the file draws.

Pure. The two differ: the extracted text has other line ends, words joined that a hyphen parted, ligatures and radicals
written out, columns and cells in another order, marks left out. So both are reduced to what is the same in either,
and the text is laid out in tiles, each a stretch that stands somewhere on the page; no place is used twice. That is
greedy string tiling, after Wise (1993), but in reading order: a tile begins where the last one ended, if it can.
"""

import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache

from kb.text.radicals import without_radicals

_SEEDS = (24, 12, 6, 3, 2, 1)
_NEAR = 40  # characters that may be skipped on the page, such as the mark of a footnote, before it is sought everywhere
_MIN_NEAR = 6
_MAX_PLACES = 200
_SURE = 4  # a shorter tile counts only where it is a whole word, in the text and on the page
_LEFT_OUT = frozenset("-|\u00ad\u2010\u2011^\ufffe\ufffd")


def align(text: str, drawn: str) -> list[int]:
    """Lays a text out over the characters of a page.

    Args:
        text: The extracted text of the page.
        drawn: The characters of the page, in the order in which they are drawn.

    Returns:
        For each character of the text its place among those of the page; -1 for white space, hyphens, and what is not
        there.
    """
    wanted, from_text = _reduced(text)
    there, from_drawn = _reduced(drawn)
    places = [-1] * len(text)

    def is_sure(start: int, begin: int, length: int) -> bool:
        return length >= _SURE or (
            _is_whole(text, from_text[start], from_text[start + length - 1])
            and _is_whole(drawn, from_drawn[begin], from_drawn[begin + length - 1])
        )

    for start, begin, length in _tiles(wanted, there, is_sure):
        for offset in range(length):
            places[from_text[start + offset]] = from_drawn[begin + offset]
    return places


def _reduced(text: str) -> tuple[str, list[int]]:
    """What is the same in either text, and where each of its characters comes from."""
    reduced: list[str] = []
    origins: list[int] = []
    for place, char in enumerate(text):
        for plain in _plain(char):
            reduced.append(plain)
            origins.append(place)
    return "".join(reduced), origins


@lru_cache(maxsize=20_000)
def _plain(char: str) -> str:
    if char in _LEFT_OUT or char.isspace():
        return ""
    plain = unicodedata.normalize("NFKC", without_radicals(char)).casefold()
    return "".join(each for each in plain if not each.isspace() and unicodedata.category(each) not in ("Cc", "Cf"))


def _tiles(wanted: str, there: str, is_sure: Callable[[int, int, int], bool]) -> Iterator[tuple[int, int, int]]:
    """Start in the text, start on the page, and length of each sure tile, in order; what is not sure takes no place."""
    taken = bytearray(len(there))
    place = cursor = 0
    while place < len(wanted):
        begin = _begin(wanted, place, there, cursor, taken)
        length = _common(wanted, place, there, begin, taken) if begin >= 0 else 0
        if not length or not is_sure(place, begin, length):
            place += 1
            continue
        yield place, begin, length
        taken[begin : begin + length] = b"\1" * length
        place, cursor = place + length, begin + length


def _begin(wanted: str, place: int, there: str, cursor: int, taken: bytearray) -> int:
    """Where on the page the text goes on: right behind, a little further, or where the longest stretch of it is."""
    if there.startswith(wanted[place : place + _MIN_NEAR], cursor) and taken[cursor : cursor + 1] != b"\1":
        return cursor
    if len(wanted) - place >= _MIN_NEAR:
        near = there.find(wanted[place : place + _MIN_NEAR], cursor, cursor + _NEAR)
        if near >= 0 and not taken[near]:
            return near
    for seed in _SEEDS:
        if place + seed <= len(wanted):
            found = list(_free_places(wanted[place : place + seed], there, taken))
            if found:
                return max(
                    found,
                    key=lambda begin: (
                        _common(wanted, place, there, begin, taken),
                        begin >= cursor,
                        -abs(begin - cursor),
                    ),
                )
    return -1


def _free_places(stretch: str, there: str, taken: bytearray) -> Iterator[int]:
    begin, count = there.find(stretch), 0
    while begin >= 0 and count < _MAX_PLACES:
        if not any(taken[begin : begin + len(stretch)]):
            yield begin
            count += 1
        begin = there.find(stretch, begin + 1)


def _common(wanted: str, place: int, there: str, begin: int, taken: bytearray) -> int:
    """How many characters are the same from here on, and free."""
    length, most = 0, min(len(wanted) - place, len(there) - begin)
    while length < most and wanted[place + length] == there[begin + length] and not taken[begin + length]:
        length += 1
    return length


def _is_whole(text: str, first: int, last: int) -> bool:
    """Whether no letter or figure stands right before or behind a stretch."""
    before, behind = text[first - 1 : first] if first else "", text[last + 1 : last + 2]
    return not before.isalnum() and not behind.isalnum()

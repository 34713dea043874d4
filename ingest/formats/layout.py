"""The text of pages, cleaned of what only the layout put there: running heads, page numbers, hyphens at line ends.

Pure. Knows pages as strings and no file format. What is left stands in its order and is otherwise as it was extracted.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence

from ingest.formats.encoding import clean, normalise_line_ends
from ingest.formats.grammar import PARAGRAPH_BREAK
from kb.text.radicals import without_radicals

_LIGATURES = {
    ord(char): plain for char, plain in zip("ﬀﬁﬂﬃﬄﬅﬆ", ("ff", "fi", "fl", "ffi", "ffl", "st", "st"), strict=True)
}
_SOFT_HYPHEN = re.compile("\u00ad(?:[ \t]*\n)?")
_HYPHEN_AT_LINE_END = re.compile("[\x02\ufffe]\n?")  # so written by PDFium, which leaves out the line end
_CONTROL = re.compile("[\x01-\x08\x0b\x0e-\x1f\x7f-\x9f]")
_BLANK_LINES = re.compile(r"\n{3,}")
_WORD = re.compile(r"[a-z]+(?:-[a-z]+)*")
_BROKEN_WORD = re.compile(r"(?P<left>[a-z]+)-\n(?P<right>[a-z]+)")
_NUMBER = re.compile(r"\d{1,6}")
_BARE_NUMBER = re.compile(r"\W*<-?\d+>\W*")

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\u3040-\u30ff\u3000-\u303f\uff01-\uff5e"
_HAN_SPACED = re.compile(f"(?<=[{_HAN}]) (?=[{_HAN}])")
_HAN_CLOSE = re.compile(f"[{_HAN}](?=[{_HAN}])")

_EDGE_LINES = 3
_MIN_REPEATS = 3
_MIN_RUN = 4
_MAX_RUNNING_CHARS = 160
_MIN_LETTERS_PER_PAGE = 12  # "Page 7 of 12" has less: with nothing but that, there is no text
_REPEATED_SHARE = 0.4  # under one half, as left and right pages often have heads of their own


def clean_pages(pages: Sequence[str]) -> list[str]:
    """Cleans the extracted text of all pages of one document.

    Trailing spaces, soft hyphens and surplus blank lines go; control characters become spaces, ligatures letters, and
    radicals characters.
    Words that were divided at a line end are joined. Spaces that were set between all Han characters go. Page numbers
    go, and of a line that stands at the top or the bottom of many pages all but the first.

    Returns:
        As many pages; some may be empty.
    """
    texts = [_clean_page(page) for page in pages]
    texts = _without_running_lines(texts)
    vocabulary = {word for text in texts for word in _WORD.findall(text.lower())}
    texts = [_BROKEN_WORD.sub(lambda match: _joined(match, vocabulary), text) for text in texts]
    if _is_spaced_out(texts):
        texts = [_HAN_SPACED.sub("", text) for text in texts]
    return texts


def paragraph_spans(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    """Cuts `text[start:end]` at blank lines.

    Yields:
        Spans in order, without the white space around them.
    """
    for left, right in _between(PARAGRAPH_BREAK, text, start, end):
        piece = text[left:right]
        if stripped := piece.strip():
            left += len(piece) - len(piece.lstrip())
            yield left, left + len(stripped)


def _between(separator: re.Pattern[str], text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for match in separator.finditer(text, start, end):
        yield start, match.start()
        start = match.end()
    yield start, end


def _clean_page(page: str) -> str:
    text = without_radicals(normalise_line_ends(clean(page)).translate(_LIGATURES))
    text = _HYPHEN_AT_LINE_END.sub("-\n", _SOFT_HYPHEN.sub("", text))
    text = _CONTROL.sub(" ", text)
    text = "\n".join(line.rstrip() for line in text.split("\n"))
    return _BLANK_LINES.sub("\n\n", text).strip()


def _joined(match: re.Match[str], vocabulary: set[str]) -> str:
    left, right = match["left"], match["right"]
    is_compound = f"{left}-{right}" in vocabulary and left + right not in vocabulary
    return f"{left}-{right}" if is_compound else left + right


def _is_spaced_out(texts: Sequence[str]) -> bool:
    spaced = sum(len(_HAN_SPACED.findall(text)) for text in texts)
    return spaced > sum(len(_HAN_CLOSE.findall(text)) for text in texts)


def _without_running_lines(texts: Sequence[str]) -> list[str]:
    """Drops running heads and page numbers; a line that is the same everywhere stays where it stands first."""
    pages = [text.split("\n") for text in texts]
    edges = [{place: _running_keys(page[place], number) for place in _edges(page)} for number, page in enumerate(pages)]
    repeated = _repeated([set().union(*places.values()) for places in edges])
    seen: set[str] = set()
    for page, places in zip(pages, edges, strict=True):
        for place, keys in places.items():
            running = keys & repeated
            if running - {_same(page[place])} or running & seen:
                page[place] = ""
            seen |= running
    without = ["\n".join(page).strip() for page in pages]
    if any(without):
        return without
    letters = sum(char.isalpha() for text in texts for char in text)
    return without if letters < _MIN_LETTERS_PER_PAGE * len(texts) else list(texts)


def _repeated(keys: Sequence[set[str]]) -> set[str]:
    """What stands at the edge of many pages, or of some one after the other; a bare page number needs three."""
    counts = Counter(key for page in keys for key in page)
    often = {key for key, count in counts.items() if count >= max(_MIN_REPEATS, _REPEATED_SHARE * len(keys))}
    numbers = {key for key, count in counts.items() if count >= _MIN_REPEATS and _BARE_NUMBER.fullmatch(key)}
    runs = (set.intersection(*keys[place : place + _MIN_RUN]) for place in range(len(keys) - _MIN_RUN + 1))
    return often.union(numbers, *runs)


def _edges(lines: Sequence[str]) -> list[int]:
    filled = [place for place, line in enumerate(lines) if line.strip()]
    return sorted({*filled[:_EDGE_LINES], *filled[-_EDGE_LINES:]})


def _running_keys(line: str, page: int) -> set[str]:
    """What a line has in common with its like on other pages: all of it, or all but a number that counts the pages."""
    plain = _same(line)
    if len(plain) > _MAX_RUNNING_CHARS:
        return set()
    counted = (f"{plain[: n.start()]}<{int(n[0]) - page}>{plain[n.end() :]}" for n in _NUMBER.finditer(plain))
    return {plain, *counted}


def _same(line: str) -> str:
    return " ".join(line.casefold().split())

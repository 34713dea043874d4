"""Finds the headings of a PDF that carries no outline, by how lines are set and by what they begin with.

Pure. Careful rather than complete: a heading stands alone, is short, is no sentence and no row of a table, and does not
come back on other pages; it is set apart from the body of the text, or it begins as chapters do.
"""

import re
from collections import Counter
from collections.abc import Sequence

from ingest.formats.grammar import BULLETS, CLOSED
from ingest.formats.pdf.page_layout import PageText, ShortLine, Style
from ingest.formats.pdf.sections import OutlineEntry
from ingest.formats.tables import is_row

_HAN_NUMBER = "[0-9零〇一二三四五六七八九十百]{1,5}"
_CHAPTERS = (
    re.compile(rf"PART\s+(?:[IVX]+|\d+)\b|第{_HAN_NUMBER}[编部篇卷]", re.IGNORECASE),
    re.compile(rf"(?:ITEM|CHAPTER|APPENDIX|EXHIBIT)\s+(?:\d+[A-Z]?|[A-Z])\b|第{_HAN_NUMBER}章|附录", re.IGNORECASE),
    re.compile(rf"(?:NOTE|SECTION)\s+\d+\b|第{_HAN_NUMBER}节|[一二三四五六七八九十]{{1,3}}、", re.IGNORECASE),
)
_MAX_CHAPTER_WORDS = 18
_MAX_WORDS = 12
_MAX_HAN_CHARS = 40
_MAX_CAPITALS_OF_TABLE = 2  # words: a line of more is the name of a statement rather than of a column
_MIN_LARGER = 1.08
_MAX_PAGE_SHARE = 0.15
_MIN_REPEATS = 3
_MAX_SUBLEVELS = 3
_MIN_ENTRIES = 3
_BOLD = re.compile(r"bold|black|heavy|demi|medi(?!um)|hei(?!ght)", re.IGNORECASE)
_ITALIC = re.compile(r"italic|oblique|slanted", re.IGNORECASE)
_LETTER = re.compile(r"[^\W\d_]")
_HAN = re.compile("[\u3400-\u9fff]")
_SENTENCE_END = re.compile(rf"[.,;:!?。，；：！？、…]{CLOSED}")
_LIST_ITEM = re.compile(rf"[{BULLETS}☐☒(（]")
_PAGE_NUMBER = re.compile(r"[\s.…]\d{1,3}$")


def guessed_outline(pages: Sequence[PageText]) -> list[OutlineEntry]:
    """Makes an outline of the lines that look like headings.

    Parts, chapters and notes are known by their beginning; below them, headings are ranked by the size of their font,
    and then bold before italic.

    Args:
        pages: All pages of a document, with the styles of their lines.
    """
    body = _body_style(pages)
    if body is None:
        return []
    counts = Counter(key for page in pages for key in {_key(line) for line in page.short_lines})
    most = max(_MIN_REPEATS, _MAX_PAGE_SHARE * len(pages))
    found = [
        (number, line)
        for number, page in enumerate(pages, start=1)
        if not _is_table_of_contents(page)
        for line in page.short_lines
        if counts[_key(line)] < most and _may_be_heading(line, body)
    ]
    ranks = sorted({_rank(line.style) for _, line in found if _chapter_level(line.text) is None})
    return [OutlineEntry(_depth(line, ranks), line.text, number) for number, line in found]


def _is_table_of_contents(page: PageText) -> bool:
    entries = (line for line in page.text.split("\n") if _PAGE_NUMBER.search(line) and _chapter_level(line) is not None)
    return sum(1 for _ in entries) >= _MIN_ENTRIES


def _body_style(pages: Sequence[PageText]) -> Style | None:
    counts: Counter[Style] = Counter()
    for page in pages:
        counts.update(dict(page.styles))
    return max(counts, key=counts.__getitem__, default=None)


def _key(line: ShortLine) -> str:
    return " ".join(line.text.casefold().split())


def _may_be_heading(line: ShortLine, body: Style) -> bool:
    text = line.text
    level = _chapter_level(text)
    words = len(text.split()) + len(_HAN.findall(text)) * _MAX_WORDS // _MAX_HAN_CHARS
    if words > (_MAX_WORDS if level is None else _MAX_CHAPTER_WORDS):
        return False
    if _SENTENCE_END.search(text) or _LIST_ITEM.match(text) or text[:2].islower() or is_row(text):
        return False
    if 2 * len(_LETTER.findall(text)) < len("".join(text.split())):
        return False
    if level is not None:
        return not _PAGE_NUMBER.search(text) or len(text.split()) == 2
    is_of_table = line.is_over_table and not _is_name_in_capitals(text)
    return not is_of_table and not text[-1].isdigit() and _is_set_apart(line.style, body)


def _is_name_in_capitals(text: str) -> bool:
    return sum(word.isupper() for word in text.split()) > _MAX_CAPITALS_OF_TABLE


def _chapter_level(text: str) -> int | None:
    return next((level for level, pattern in enumerate(_CHAPTERS) if pattern.match(text)), None)


def _is_set_apart(style: Style, body: Style) -> bool:
    if style.height < body.height / _MIN_LARGER:
        return False
    is_marked = any(pattern.search(style.font) and not pattern.search(body.font) for pattern in (_BOLD, _ITALIC))
    return is_marked or style.height > _MIN_LARGER * body.height


def _rank(style: Style) -> tuple[float, bool, bool]:
    return -round(style.height), _BOLD.search(style.font) is None, _ITALIC.search(style.font) is not None


def _depth(line: ShortLine, ranks: Sequence[tuple[float, bool, bool]]) -> int:
    level = _chapter_level(line.text)
    return len(_CHAPTERS) + min(ranks.index(_rank(line.style)), _MAX_SUBLEVELS) if level is None else level

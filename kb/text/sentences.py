"""Text → its sentences, in time that grows with its length alone.

Pure. Knows no document structure beyond lines; offsets are half-open and count characters of the text given.
"""

import re

from kb.text.scripts import CJK

Span = tuple[int, int]

_CLOSERS = "\"'”’」』）)】》〉]"
_BOUNDARY = re.compile(
    rf"(?P<cjk>[。！？；…]+[{re.escape(_CLOSERS)}]*)"
    rf"|(?<![.!?])(?P<latin>[.!?]++[{re.escape(_CLOSERS)}]*)(?=\s|$|[{CJK}])"
    r"|(?P<paragraph>\n[ \t]*\n\s*)"
    r"|(?P<line>\n)(?=[ \t]*(?:[-*+•][ \t]|\d{1,3}[.)、][ \t]?|\||\#{1,6}[ \t]|>))"
)
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\[“\"'])(?:[A-Z]|Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|No|Nos|Fig|Figs|Eq|Sec|Ch|Vol|pp?|cf|vs|approx|ca|al|e\.g|i\.e|etc"
    r"|Inc|Ltd|Co|Corp|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec|U\.S|U\.K|a\.m|p\.m)\.$"
)
_WHOLE = re.compile(r"[.!?。！？][\"'”’)）」』]*\s*\Z")
_LIST_NUMBER = re.compile(r"\s*(?:[-*+•>#]+[ \t]+)*\d{1,3}\.")
_LIST_NUMBER_CHARS = 80  # marks of a list that are deeper than this are taken for prose
_AFTER = re.compile(r"[ \t]*")
_BROKEN_LINE = re.compile(rf"(?<=[{CJK}])[ \t]*\n[ \t]*(?=[{CJK}])|(?<=[a-z])-\n[ \t]*(?=[a-z])")


def sentence_spans(text: str) -> list[Span]:
    """Cuts text into sentences.

    A sentence ends at Chinese or Latin end punctuation (closing quotes included), at a blank line, or before a line
    that starts a list item, a table row, a heading or a quotation. Any other single line break does not end one.

    Returns:
        Spans in order, without the white space around them; together they hold everything else.
    """
    spans: list[Span] = []
    start = 0
    for match in _BOUNDARY.finditer(text):
        if _is_inside_sentence(text, start, match):
            continue
        _append_trimmed(spans, text, start, match.end())
        start = match.end()
    _append_trimmed(spans, text, start, len(text))
    return spans


def is_whole_sentence(text: str) -> bool:
    """Whether a text ends as a sentence does; a row of a table, a heading or a name does not."""
    return bool(_WHOLE.search(text))


def join_broken_lines(text: str) -> str:
    """Removes line breaks that stand inside a run of Chinese, Japanese or Korean, or after a hyphen inside a word."""
    return _BROKEN_LINE.sub("", text)


def _is_inside_sentence(text: str, start: int, match: re.Match[str]) -> bool:
    if not match["latin"] or match.end() == len(text):
        return False
    after = _AFTER.match(text, match.end())
    following = text[after.end() : after.end() + 1] if after else ""
    line_start = text.rfind("\n", max(start, match.end() - _LIST_NUMBER_CHARS), match.end()) + 1
    if _LIST_NUMBER.fullmatch(text, max(start, line_start), match.end()):
        return following != "\n"
    return following.islower() or bool(_ABBREVIATION.search(text, max(start, match.end() - 12), match.end()))


def _append_trimmed(spans: list[Span], text: str, start: int, end: int) -> None:
    piece = text[start:end]
    trimmed = piece.strip()
    if trimmed:
        left = start + len(piece) - len(piece.lstrip())
        spans.append((left, left + len(trimmed)))

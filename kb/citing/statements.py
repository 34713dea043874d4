"""The stretches of an answer that say something, each of which is cited: sentences, list items, rows of a table.

Pure, for an answer that is still being written. Headings, the head of a table, code, and lines that only lead to a list
say nothing that a document could bear out. The number of a list item is no part of what it says.
"""

import re
from collections.abc import Iterator
from typing import Literal

from kb.citing.analysed_text import AnalysedText
from kb.text.sentences import Span, sentence_spans

_Kind = Literal["prose", "heading", "row", "rule", "code"]

_RULE = re.compile(r"(?=[^\n]*[-*_=]{3})[ \t|:*_=-]+(?:\n|\Z)")
_MAY_BE_RULE = re.compile(r"[ \t|:-]*")
_KINDS: tuple[tuple[_Kind, re.Pattern[str]], ...] = (
    ("code", re.compile(r"[ \t]*(?P<fence>`{3,}|~{3,})")),
    ("heading", re.compile(r"[ \t]*(?:#{1,6}[ \t]|\*\*[^*\n]+(?:[:：]\*\*|\*\*[:：])[ \t]*(?:\n|\Z))")),
    ("rule", _RULE),
    ("row", re.compile(r"[ \t]*\|")),
)
_ITEM_MARK = re.compile(r"(?:(?:[-*+•>]|\d{1,3}[.)、])[ \t]+)+")
_LEADS_ON = re.compile(r"[:：][\s*_]*\Z")
_OF_LEAD_INS = (
    "answers, follows, following, listed, steps, points, items, key, main, example, includes, according, sources, run,"
    " use, documents, passages, here, summary;"
    "答案, 回答, 如下, 以下, 下面, 步骤, 要点, 包括, 列表, 总结, 例如, 根据, 资料, 文档, 内容, 主要"
)


def statements(answer: str, begin: int, *, question: str, ended: bool) -> tuple[list[Span], int]:
    """Finds what is complete by now.

    Args:
        begin: Where to go on: what came back the time before; 0 at first.
        question: A line with a colon that says no more than this only leads on.
        ended: Whether the answer will not go on.

    Returns:
        The spans in order, and where to go on.
    """
    known = AnalysedText(f"{_OF_LEAD_INS}\n{question}")
    found: list[Span] = []
    for kind, start, end, complete in _blocks(answer, begin, ended=ended):
        if kind == "row" and complete:
            found.append((start, end))
        elif kind == "prose":
            spans = [(start + one, start + other) for one, other in sentence_spans(answer[start:end])]
            if not complete:
                spans, end = spans[:-1], spans[-2][1] if len(spans) > 1 else start
            found += spans
        elif not complete:
            break
        begin = end
    trimmed = [_trimmed(answer, span) for span in found]
    return [span for span in trimmed if not _only_leads_on(answer[slice(*span)], known)], begin


def _blocks(answer: str, begin: int, *, ended: bool) -> Iterator[tuple[_Kind, int, int, bool]]:
    """Blocks of lines, and whether each is complete; after one that is not comes none."""
    place = begin
    while place < len(answer):
        kind, end = _line(answer, place)
        complete = ended or answer[end - 1 : end] == "\n"
        if kind == "prose":
            while end < len(answer) and _line(answer, end)[0] == "prose":
                end = _line(answer, end)[1]
            complete = ended or end < len(answer)
        elif kind == "code":
            closed, end = _code_end(answer, place, end)
            complete = ended or closed
        elif kind == "row" and complete:
            following = answer[end : _line(answer, end)[1]]
            complete = ended or not _MAY_BE_RULE.fullmatch(following)
            kind = "heading" if _RULE.match(following) else "row"
        yield kind, place, end, complete
        if not complete:
            return
        place = end


def _line(answer: str, place: int) -> tuple[_Kind, int]:
    """What kind of block the line from a place on belongs to, and where it ends."""
    begins = place == 0 or answer[place - 1] == "\n"
    kind: _Kind = next((kind for kind, pattern in _KINDS if begins and pattern.match(answer, place)), "prose")
    end = answer.find("\n", place)
    return kind, end + 1 or len(answer)


def _code_end(answer: str, start: int, end: int) -> tuple[bool, int]:
    """Whether the block of code that a line opens is closed, and where it ends."""
    fence = answer[start:end].strip()
    sign = fence[: len(fence) - len(fence.lstrip(fence[0]))]
    closing = re.compile(rf"^[ \t]*{re.escape(sign)}[{re.escape(sign[0])}]*[ \t]*(?:\n|\Z)", re.MULTILINE).search(
        answer, end
    )
    return (True, closing.end()) if closing else (False, len(answer))


def _trimmed(answer: str, span: Span) -> Span:
    """A span without the mark of its list item, and without white space around it."""
    start, end = span
    text = answer[start:end]
    start += len(text) - len(text.lstrip())
    end -= len(text) - len(text.rstrip())
    mark = _ITEM_MARK.match(answer, start, end)
    return (mark.end() if mark else start), end


def _only_leads_on(text: str, known: AnalysedText) -> bool:
    return bool(_LEADS_ON.search(text)) and all(word.is_in(known.terms) for word in AnalysedText(text).content_words)

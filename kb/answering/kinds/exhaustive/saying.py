"""How what was found is laid out, and what is said of how it was found, in the language of the question. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from kb.answering.kinds.cited_text import Assembly, CitedText
from kb.text.languages import asked_in
from kb.values.answers import AnswerEvent
from kb.values.passages import heading_path

_TEXTS = {
    "en": {
        "head": "| Item | Where it stands | Document |\n| --- | --- | --- |\n",
        "found": "{n} found.",
        "none": "None was found.",
        "read": " Read: {read} passages of {documents} documents.",
        "all": " Nothing was left out.",
        "skipped": " Nothing was copied from {n} of the passages, which are less likely to hold any.",
        "unread": " Left out: {n} passages that are farther from the question.",
        "far": " Not read: {n} documents that are farther from the question.",
        "unshown": " Left out: {n} more items.",
        "unjudged": " {n} of them were not checked one by one.",
        "dropped": " {n} that look alike were judged not to be meant.",
    },
    "zh": {
        "head": "| 内容 | 原文 | 文档 |\n| --- | --- | --- |\n",
        "found": "共找到 {n} 项。",
        "none": "没有找到。",
        "read": "已读 {documents} 份文档的 {read} 段。",
        "all": "没有遗漏。",
        "skipped": "其中 {n} 段不太可能含有所问内容，没有照抄。",
        "unread": "未读：离问题较远的 {n} 段。",
        "far": "未读：离问题较远的 {n} 份文档。",
        "unshown": "另有 {n} 项未列出。",
        "unjudged": "其中 {n} 项没有逐一核对。",
        "dropped": "另有 {n} 项形式相似，判断为不是所问。",
    },
}
_LEFT = ("skipped", "unread", "far", "unshown", "unjudged", "dropped")
_MOST_CONTEXT_CHARS = 200


@dataclass(frozen=True, slots=True)
class Tally:
    """What was read and what was not.

    Attributes:
        read: How many passages; `skipped`: from how many of them nothing was copied; `unread`: how many are left.
        far: How many documents are too far from the question to be read.
        unshown: How many items were found beyond what an answer holds.
        unjudged: How many of the items nobody has looked at.
        dropped: How many were found and do not belong.
    """

    documents: int
    read: int
    unread: int = 0
    unshown: int = 0
    unjudged: int = 0
    dropped: int = 0
    skipped: int = 0
    far: int = 0


def tally_text(question: str, found: int, tally: Tally) -> str:
    """Says how many items were found, what was read, and what was left out."""
    texts = _TEXTS[asked_in(question)]
    left = [(name, n) for name in _LEFT if (n := getattr(tally, name))]
    return "".join(
        [
            texts["found"].format(n=f"{found:,}") if found else texts["none"],
            texts["read"].format(read=f"{tally.read:,}", documents=f"{tally.documents:,}"),
            "" if tally.skipped or tally.unread or tally.far or tally.unshown else texts["all"],
            *(texts[name].format(n=f"{n:,}") for name, n in left),
        ]
    )


def laid_out(rows: Sequence[CitedText], question: str, assembly: Assembly) -> Iterator[AnswerEvent]:
    """Writes items into an answer: a table where they stand inside of sentences, a list where they are sentences."""
    is_table = any(row.text != row.about for row in rows)
    yield from assembly.say(_TEXTS[asked_in(question)]["head"] if rows and is_table else "")
    for n, row in enumerate(rows):
        yield from assembly.say(("\n" if n else "") + ("| " if is_table else "- "))
        yield from assembly.cite(row)
        if is_table:
            first = row.citations[0]
            place = heading_path(list(filter(None, [first.title, first.heading.removeprefix(first.title).strip(" ›")])))
            yield from assembly.say(f" | {_cell(row.about)} | {_cell(place)} |")


def _cell(text: str) -> str:
    line = " ".join(text.split()).replace("|", "/").strip("/ ")
    return line if len(line) <= _MOST_CONTEXT_CHARS else f"{line[:_MOST_CONTEXT_CHARS]}…"

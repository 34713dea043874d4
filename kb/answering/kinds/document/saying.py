"""How a summary is laid out, and what is said beside it, in the language of the question. Pure."""

from collections.abc import Iterator, Sequence

from kb.answering.kinds.cited_text import Assembly, CitedText
from kb.answering.kinds.document.shape import Style
from kb.text.languages import asked_in
from kb.values.answers import AnswerEvent
from kb.values.documents import DocumentInfo

_TEXTS = {
    "en": {
        "which": "Several documents may be meant. Which one?",
        "read": "Read: {what}, {sections} sections.",
        "unread": " No text could be read on pages {pages}.",
        "pages": "“{title}”, {n} pages",
        "title": "“{title}”",
        "part": "{part} of {whole}",
        "head": "| Section | What it says |\n| --- | --- |\n",
    },
    "zh": {
        "which": "可能指以下几份文档中的一份，请问是哪一份？",
        "read": "已读：{what}，共 {sections} 节。",
        "unread": "第 {pages} 页没有读出文字。",
        "pages": "《{title}》，{n} 页",
        "title": "《{title}》",
        "part": "{whole}中的“{part}”",
        "head": "| 章节 | 内容 |\n| --- | --- |\n",
    },
}


def choices_text(question: str, documents: Sequence[DocumentInfo]) -> str:
    """Asks which of some documents is meant."""
    lines = [f"{n}. {each.title} ({each.file.source})" for n, each in enumerate(documents, start=1)]
    return "\n".join([_TEXTS[asked_in(question)]["which"], "", *lines])


def read_text(question: str, document: DocumentInfo, part: str, sections: int) -> str:
    """Says what was read, and what of it could not be.

    Args:
        part: Name of the part; empty: all of it.
    """
    texts = _TEXTS[asked_in(question)]
    pages = texts["pages"] if document.page_count else texts["title"]
    what = pages.format(title=document.title, n=document.page_count)
    if part:
        what = texts["part"].format(part=part, whole=texts["title"].format(title=document.title))
    unread = ", ".join(map(str, document.unread_pages))
    return texts["read"].format(what=what, sections=sections) + (texts["unread"].format(pages=unread) if unread else "")


def laid_out(points: Sequence[CitedText], style: Style, question: str, assembly: Assembly) -> Iterator[AnswerEvent]:
    """Writes the sentences of a summary into an answer."""
    if style == "paragraph":
        yield from assembly.cite(*points)
        return
    if style == "table":
        yield from assembly.say(_TEXTS[asked_in(question)]["head"])
    for n, point in enumerate(points):
        is_new = n == 0 or points[n - 1].about != point.about
        before, after = _around(point.about if is_new else "", style)
        yield from assembly.say(("\n" if n else "") + before)
        yield from assembly.cite(point)
        yield from assembly.say(after)


def _around(section: str, style: Style) -> tuple[str, str]:
    """What stands before a sentence and after it."""
    if style == "table":
        return f"| {section.replace('|', '/')} | ", " |"
    return (f"- **{section}** — " if style == "outline" and section else "- "), ""

"""Text in other markups than Markdown: reStructuredText, Org and LaTeX. Headings are found in it.

The text stays as it is, its markup too. Blocks are the paragraphs between blank lines.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from ingest.formats.encoding import clean
from ingest.formats.layout import paragraph_spans
from ingest.formats.markdown import file_text
from ingest.formats.showing import Shown
from kb.values.documents import Block, BlockKind, Document

_LINE = r"([=\-`:.'\"~^_*+#])\{}{{2,}}"
_RST_HEADING = re.compile(
    rf"^(?:(?P<over>{_LINE.format(2)})\n)?(?P<title> ?[^\s][^\n]*)\n(?P<under>{_LINE.format(5)})[ \t]*$", re.MULTILINE
)
_ORG_HEADING = re.compile(
    r"^(?P<stars>\*+)[ \t]+(?:(?:TODO|DONE)[ \t]+)?(?P<title>[^\n]*?)(?:[ \t]+:[\w@:]+:)?[ \t]*$", re.MULTILINE
)
_ORG_TITLE = re.compile(r"^#\+title:[ \t]*(?P<title>.+)$", re.MULTILINE | re.IGNORECASE)
_ORG_MARK = re.compile(r"\[\[(?:[^\[\]]+\]\[)?([^\[\]]+)\]\]|^\[#\w\] +")
_RST_MARK = re.compile(r"`{1,2}([^`<]+?)(?:\s*<[^>`]*>)?`{1,2}_{0,2}|(?<=[^\W_])_(?!\w)")
_IN_BRACES = r"[^{}]*(?:\{[^{}]*(?:\{[^{}]*(?:\{[^{}]*\}[^{}]*)*\}[^{}]*)*\}[^{}]*)*"
_ARGUMENT = rf"(?:\[[^\]]*\])?\{{(?P<title>{_IN_BRACES})\}}"
_TEX_HEADING = re.compile(
    rf"^[ \t]*\\(?P<level>part|chapter|section|(?:sub){{1,2}}section|(?:sub)?paragraph)\*?{_ARGUMENT}", re.MULTILINE
)
_TEX_UNSEEN = re.compile(rf"\\(?:texorpdfstring|href|hypertarget|label|footnote)\{{{_IN_BRACES}\}}")
"""Commands with a first argument that is not shown in its place."""
_TEX_TITLE = re.compile(rf"\\title{_ARGUMENT}")
_TEX_LEVELS = ("part", "chapter", "section", "subsection", "subsubsection", "paragraph", "subparagraph")
_TEX_COMMAND = re.compile(r"\\(?:[a-zA-Z]+\*?|.)|[{}]")


@dataclass(frozen=True, slots=True)
class _Heading:
    start: int
    end: int
    level: int
    title: str


class RstLoader:
    """Reads reStructuredText."""

    media_type = "text/x-rst"
    extensions = (".rst", ".rest")
    shown = Shown.AS_TEXT
    is_markdown = False

    def load(self, name: str, data: bytes) -> Document:
        """Reads a text; its title is the first heading.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        return _document(name, self.media_type, file_text(data), _rst_headings)


class OrgLoader:
    """Reads Org."""

    media_type = "text/x-org"
    extensions = (".org",)
    shown = Shown.AS_TEXT
    is_markdown = False

    def load(self, name: str, data: bytes) -> Document:
        """Reads a text; its title is that of `#+title:`.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        return _document(name, self.media_type, file_text(data), _org_headings, _ORG_TITLE)


class LatexLoader:
    """Reads LaTeX."""

    media_type = "application/x-tex"
    extensions = (".tex", ".latex")
    shown = Shown.AS_TEXT
    is_markdown = False

    def load(self, name: str, data: bytes) -> Document:
        """Reads a text; its title is that of `\\title`.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        return _document(name, self.media_type, file_text(data), _tex_headings, _TEX_TITLE)


def _document(
    name: str,
    media_type: str,
    text: str,
    find: Callable[[str], Iterator[_Heading]],
    title_pattern: re.Pattern[str] | None = None,
) -> Document:
    headings = list(find(text))
    said = title_pattern.search(text) if title_pattern else None
    title = _plain(said["title"]) if said else ""
    if not title and title_pattern is None and headings:
        title = headings[0].title
    return Document(
        title=title or clean(PurePath(name).stem),
        media_type=media_type,
        text=text,
        blocks=tuple(_blocks(text, headings)),
        has_own_title=bool(title),
    )


def _blocks(text: str, headings: list[_Heading]) -> Iterator[Block]:
    path: list[_Heading] = []
    place = 0
    for heading in [*headings, None]:
        titles = tuple(each.title for each in path)
        end = heading.start if heading else len(text)
        yield from (Block(left, right, BlockKind.PROSE, titles) for left, right in paragraph_spans(text, place, end))
        if heading:
            path = [*(each for each in path if each.level < heading.level), heading]
            yield Block(heading.start, heading.end, BlockKind.HEADING, tuple(each.title for each in path))
            place = heading.end


def _rst_headings(text: str) -> Iterator[_Heading]:
    """The level of a heading is the place at which its kind of line was first seen."""
    kinds: list[tuple[str, bool]] = []
    for match in _RST_HEADING.finditer(text):
        title = match["title"].strip()
        if len(match["under"]) < len(title):
            continue
        kind = (match["under"][0], match["over"] is not None)
        if kind not in kinds:
            kinds.append(kind)
        end = match.start() + len(match[0].rstrip())
        yield _Heading(match.start(), end, kinds.index(kind), _RST_MARK.sub(r"\1", title))


def _org_headings(text: str) -> Iterator[_Heading]:
    for match in _ORG_HEADING.finditer(text):
        if title := _ORG_MARK.sub(r"\1", match["title"]):
            yield _Heading(match.start(), match.start() + len(match[0].rstrip()), len(match["stars"]), title)


def _tex_headings(text: str) -> Iterator[_Heading]:
    for match in _TEX_HEADING.finditer(text):
        start = match.start() + len(match[0]) - len(match[0].lstrip())
        if title := _plain(match["title"]):
            yield _Heading(start, match.end(), _TEX_LEVELS.index(match["level"]), title)


def _plain(title: str) -> str:
    return " ".join(_TEX_COMMAND.sub(" ", _TEX_UNSEEN.sub(" ", title)).split())

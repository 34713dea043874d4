"""Markdown as HTML that may stand in the page: what is no text is taken off, and a stretch of it is marked in place.

Pure. The parser is the one by which the blocks of a document were found; what it gives is sanitised whatever stands in
it, so that nothing runs and nothing is fetched: pictures become links.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from itertools import accumulate
from types import MappingProxyType
from typing import TYPE_CHECKING

from ingest.formats.front_matter import read_front_matter
from ingest.formats.markdown_links import destination
from kb.values.links import Destination
from server.http.note_rules import add_note_rules

if TYPE_CHECKING:
    from markdown_it.token import Token

Addresses = Mapping[Destination, str]
"""Where documents are opened, by what leads to them."""

_NO_ADDRESSES: Addresses = MappingProxyType({})

MAX_CHARS = 60_000
"""Of Markdown that is rendered at a time."""

_TEXT_TAGS = {
    "a",
    "abbr",
    "b",
    "br",
    "code",
    "del",
    "em",
    "i",
    "kbd",
    "mark",
    "s",
    "small",
    "strong",
    "sub",
    "sup",
    "u",
}
_BLOCK_TAGS = {
    *(
        "blockquote",
        "dd",
        "details",
        "div",
        "dl",
        "dt",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "li",
        "ol",
        "p",
        "pre",
    ),
    *("summary", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul"),
}
_ATTRIBUTES = {
    "a": {"href", "title", "class"},
    "ol": {"start"},
    "td": {"colspan", "rowspan", "align"},
    "th": {"colspan", "rowspan", "align"},
}
_UNSEEN = {"script", "style", "title", "noscript", "template", "iframe", "object", "svg", "math", "textarea"}
_BREAK = re.compile(r"\n(?=#{1,6} )|\n\n(?=\S)")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A stretch of Markdown as HTML.

    Attributes:
        html: Sanitised.
        start: With `end`, which stretch of the document that is, in characters.
    """

    html: str
    start: int
    end: int


def render(text: str, start: int, end: int, at: int | None = None, addresses: Addresses = _NO_ADDRESSES) -> Rendered:
    """Renders a document, or of a long one the part around a place.

    Args:
        text: Of the whole document.
        start: With `end`, the stretch that is marked; may be empty.
        at: Where to look; None: at that stretch.
        addresses: A link that is not among them, and to nowhere else either, is text.
    """
    import nh3

    first, last = _window(text, start if at is None else at)
    opening = read_front_matter(text).end if first == 0 else 0
    writer = _Writer(text, start, end, addresses)
    own = set(addresses.values())
    html = "".join((writer.front_matter(opening), writer.markdown(opening or first, last)))
    safe = nh3.clean(
        html,
        tags=_TEXT_TAGS | _BLOCK_TAGS,
        clean_content_tags=_UNSEEN,
        attributes=_ATTRIBUTES,
        attribute_filter=lambda *found: found[2] if found[2] in own else _allowed(*found),
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
    return Rendered(safe, first, last)


def _allowed(tag: str, attribute: str, value: str) -> str | None:
    """An attribute's value, or None where it goes: addresses below this page would lead to our own routes."""
    if (tag, attribute) == ("a", "href"):
        return value if re.match(r"(?:https?://|mailto:)", value, re.IGNORECASE) else None
    if (tag, attribute) == ("a", "class"):
        return value if value == "picture" else None
    return value


def _window(text: str, at: int) -> tuple[int, int]:
    """The stretch around a place that is rendered: from one block to another."""
    if len(text) <= MAX_CHARS:
        return 0, len(text)
    begin = max(0, min(at - MAX_CHARS // 3, len(text) - MAX_CHARS))
    end = min(len(text), begin + MAX_CHARS)
    breaks = [match.end() for match in _BREAK.finditer(text, begin, end)]
    first = next((place for place in breaks if place <= at), begin) if begin else 0
    last = next((place for place in reversed(breaks) if place > at), end) if end < len(text) else end
    return first, last


class _Writer:
    """Writes HTML in the order of the source; a cursor goes along, so that each piece of text is found in its place."""

    def __init__(self, text: str, start: int, end: int, addresses: Addresses) -> None:
        self._text = text
        self._addresses = addresses
        self._start, self._end = start, end
        self._cursor = 0

    def front_matter(self, end: int) -> str:
        """What stands before the Markdown, as it is written."""
        return f"<pre><code>{self._marked(0, self._text[:end].rstrip())}</code></pre>" if end else ""

    def markdown(self, first: int, last: int) -> str:
        from markdown_it import MarkdownIt

        parser = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable("text_join")
        add_note_rules(parser)
        source = self._text[first:last]
        starts = list(accumulate((len(line) + 1 for line in source.split("\n")), initial=first))
        tokens = parser.parse(source)
        for token in tokens:
            if token.map:
                self._cursor = max(self._cursor, starts[token.map[0]])
            limit = starts[min(token.map[1], len(starts) - 1)] if token.map else last
            if token.children is not None:
                token.children = list(self._inline(token.children, limit))
            elif token.type in ("fence", "code_block"):
                self._code(token, limit)
        return str(parser.renderer.render(tokens, parser.options, {}))

    def _inline(self, children: "Sequence[Token]", limit: int) -> "Iterator[Token]":
        for child in children:
            if child.type in ("text", "text_special"):
                _become_html(child, self._piece(child.content, child.markup or child.content, limit))
            elif child.type == "code_inline":
                _become_html(child, f"<code>{self._piece(child.content, child.content, limit)}</code>")
            elif child.type == "image":
                address = self._address(str(child.attrGet("src") or ""))
                inside = "".join(grandchild.content for grandchild in child.children or ())
                _become_html(child, _link(address, self._piece(inside, inside, limit), ' class="picture"'))
            elif child.type == "link_open":
                child.attrSet("href", self._address(str(child.attrGet("href") or "")))
            elif child.type == "wiki_link":
                shown = self._piece(child.content, child.content, limit)
                _become_html(child, _link(self._addresses.get((*child.meta["destination"], False), ""), shown))
            elif child.type == "callout":
                kind = self._piece(child.content, child.content, limit)
                _become_html(child, f"<strong>{kind}</strong> ")
            yield child

    def _address(self, written: str) -> str:
        found = destination(written)
        return self._addresses.get((*found, True), written) if found else written

    def _code(self, token: "Token", limit: int) -> None:
        lines = [self._piece(line, line, limit) for line in token.content.rstrip("\n").split("\n")]
        _become_html(token, "<pre><code>{}</code></pre>\n".format("\n".join(lines)))
        token.type = "html_block"

    def _piece(self, content: str, written: str, limit: int) -> str:
        """A piece of text, marked where it is to be.

        Args:
            written: How it stands in the source.
            limit: Where its block ends.
        """
        place = self._text.find(written, self._cursor, limit) if written.strip() else -1
        if place < 0:
            return escape(content)
        self._cursor = place + len(written)
        if content != written:  # an entity, or an escaped sign
            is_marked = self._start <= place < self._end
            return f"<mark>{escape(content)}</mark>" if is_marked else escape(content)
        return self._marked(place, content)

    def _marked(self, place: int, content: str) -> str:
        first, last = (min(max(offset - place, 0), len(content)) for offset in (self._start, self._end))
        if first >= last:
            return escape(content)
        return f"{escape(content[:first])}<mark>{escape(content[first:last])}</mark>{escape(content[last:])}"


def _link(address: str, inside: str, attributes: str = "") -> str:
    return f'<a{attributes} href="{escape(address)}">{inside}</a>' if address else f"<a{attributes}>{inside}</a>"


def _become_html(token: "Token", html: str) -> None:
    token.type, token.tag, token.content, token.children = "html_inline", "", html, None

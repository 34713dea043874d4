"""Links from Markdown to other documents: `[[name]]` of note-taking programs, and relative paths of `[text](path.md)`.

Pure. Addresses of other places are no such links. As Obsidian has them: https://help.obsidian.md/links.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from operator import attrgetter
from urllib.parse import unquote

from ingest.formats.obsidian import IsCode
from kb.values.links import Link

WIKI_LINK = re.compile(r"!?\[\[(?P<target>[^\[\]|#\n]*)(?:#(?P<fragment>[^\[\]|\n]*))?(?:\|(?P<alias>[^\[\]\n]*))?\]\]")
"""In a table, a backslash stands before the bar: it is part of the target or the fragment here."""

_INLINE = re.compile(
    r"!?\[(?:[^\[\]\n]|\[[^\[\]\n]*\])*\]\(\s*(?:<(?P<quoted>[^<>\n]+)>|(?P<plain>(?:[^\s()]|\([^\s()]*\))+))"
    r"(?:\s+(?:\"[^\"\n]*\"|'[^'\n]*'))?\s*\)"
)
_REFERENCE = re.compile(r"^ {0,3}\[[^\[\]\n]+\]:\s*(?:<(?P<quoted>[^<>\n]+)>|(?P<plain>\S+))", re.MULTILINE)
_ELSEWHERE = re.compile(r"[a-z][a-z0-9+.-]*:|//|#", re.IGNORECASE)
_HEADING = re.compile(r"^ {0,3}#{1,6}[ \t](?P<title>[^\n]+)", re.MULTILINE)
_MARKUP = re.compile(r"[*_`~=\[\]]")
_NO_WORD = re.compile(r"[\W_]+")
_MAX_LINKS = 5000


def links(text: str, is_code: IsCode, hidden: Sequence[tuple[int, int]] = ()) -> tuple[Link, ...]:
    """Finds the links of a text to other documents, in order.

    Args:
        hidden: What is not shown of it, such as comments.
    """
    found = [
        link
        for link in (*_wiki_links(text), *_path_links(text))
        if not is_code(link.start) and not any(start <= link.start < end for start, end in hidden)
    ]
    return tuple(sorted(found, key=attrgetter("start"))[:_MAX_LINKS])


def destination(written: str) -> tuple[str, str] | None:
    """Target and fragment of the address of a Markdown link; None: it leads to no other document."""
    if _ELSEWHERE.match(written):
        return None
    path, _, fragment = written.partition("#")
    return unquote(path.partition("?")[0]), unquote(fragment)


def wiki_destination(match: re.Match[str]) -> tuple[str, str]:
    """Target and fragment of what `WIKI_LINK` has found; the target is empty for a place in the same document."""
    return match["target"].strip().rstrip("\\"), (match["fragment"] or "").strip().rstrip("\\")


def place_of(text: str, fragment: str) -> tuple[int, int] | None:
    """Where a heading stands in a Markdown text, or the line that a block's mark ends; half-open, in characters.

    Args:
        fragment: Of a link: `Heading`, `Part#Heading`, `some-heading` as web pages make them, or `^mark`.
    """
    if fragment.startswith("^"):
        mark = re.search(rf"^[^\n]*{re.escape(fragment)}[ \t]*$", text, re.MULTILINE)
        return mark.span() if mark else None
    wanted = _plain(fragment.rpartition("#")[2])
    return next((match.span() for match in _HEADING.finditer(text) if _plain(match["title"]) == wanted), None)


def _plain(heading: str) -> str:
    """What is left of a heading when all is away that one of the ways to write it in a link leaves out."""
    return _NO_WORD.sub(" ", _MARKUP.sub("", unicodedata.normalize("NFC", heading)).casefold()).strip()


def _wiki_links(text: str) -> Iterator[Link]:
    for match in WIKI_LINK.finditer(text):
        target, fragment = wiki_destination(match)
        if target:
            yield Link(*match.span(), target, fragment, is_embed=match[0][0] == "!")


def _path_links(text: str) -> Iterator[Link]:
    for pattern in (_INLINE, _REFERENCE):
        for match in pattern.finditer(text):
            found = destination(match["quoted"] or match["plain"])
            if found and found[0]:
                yield Link(*match.span(), *found, is_embed=match[0][0] == "!", is_path=True)

"""A list of links at the end of an answer, for clients that show no sources of their own. Pure."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from kb.values.answers import Citation
from kb.values.passages import Passage
from server.http.openai.places import Places, first_of_each

Wish = Literal["auto", "on", "off"]

MAX_QUOTE_CHARS = 160

_LIST = re.compile(r"\n\n---\n\n(?:- (?:\[\d+\] )?\[.*(?:\n|\Z))+\Z")
_SPECIAL = re.compile(r"([\\\[\]<>*_`])")


def wants_footnotes(wish: Wish, headers: Mapping[str, str]) -> bool:
    """Whether a client gets them.

    Args:
        wish: `auto`: only a client that is known to show nothing else, and says who it is. Cherry Studio does.
        headers: Of its request, names in lower case.
    """
    if wish == "auto":
        return "cherry" in f"{headers.get('x-title', '')} {headers.get('user-agent', '')}".lower()
    return wish == "on"


def footnotes(citations: Sequence[Citation], passages: Sequence[Passage], places: Places) -> str:
    """Writes the list.

    Args:
        citations: Of the whole answer.
        passages: Named where there are no citations.
    """
    lines = [f"- [{one.number}] {_link(one, places)}: {_quoted(one.quote)}" for one in first_of_each(citations)]
    lines = lines or [f"- {_link(passage, places)}" for passage in passages]
    return "\n\n---\n\n" + "\n".join(lines) if lines else ""


def without_footnotes(text: str) -> str:
    """An answer as it was before the list."""
    return _LIST.sub("", text)


def _link(place: Citation | Passage, places: Places) -> str:
    return f"[{_escaped(places.name(place))}]({places.url(place)})"


def _quoted(quote: str) -> str:
    words = " ".join(quote.split())
    return f"“{_escaped(words if len(words) <= MAX_QUOTE_CHARS else words[:MAX_QUOTE_CHARS] + '…')}”"


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)

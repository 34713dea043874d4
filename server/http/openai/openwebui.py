"""What Open WebUI shows beside an answer: sources that can be clicked, and what is being done.

It takes both from `event` in a chunk, and then no annotations, or its sources would double. It is known by the headers
that an administrator has it send. Pure.
"""

from collections.abc import Mapping
from typing import Any

from kb.text.languages import asked_in
from kb.values.answers import Citation
from kb.values.passages import Passage
from server.http.openai.background import TASK_HEADER
from server.http.openai.places import Places

_USER_HEADERS = "x-openwebui-"

_FOUND = {"en": "Passages read: {count}", "zh": "已读取 {count} 个段落"}


def is_open_webui(headers: Mapping[str, str]) -> bool:
    """Whether a request comes from Open WebUI.

    Args:
        headers: Names in lower case.
    """
    return TASK_HEADER in headers or any(name.startswith(_USER_HEADERS) for name in headers)


def found(question: str, count: int) -> dict[str, Any]:
    """Says how many passages there are."""
    return told(_FOUND[asked_in(question)].format(count=count))


def told(text: str) -> dict[str, Any]:
    """Says something above the answer."""
    return {"type": "status", "data": {"description": text, "done": True}}


def cited(citation: Citation, places: Places) -> dict[str, Any]:
    """Shows the source behind a mark, with how likely it bears that out; to be sent once for each number, in order."""
    share = citation.score if citation.probability is None else citation.probability
    return _source(places.own_name(citation), places.url(citation), citation.quote, share, citation.number)


def shown(passage: Passage, places: Places) -> dict[str, Any]:
    """Shows a passage that supports nothing, but is the nearest there is."""
    score = passage.similarity or 0.0
    return _source(places.name(passage), places.url(passage), passage.text, score, passage.number)


def _source(name: str, url: str, text: str, score: float, number: int) -> dict[str, Any]:
    return {
        "type": "source",
        "data": {
            "source": {"id": url, "name": name, "url": url},
            "document": [text],
            "metadata": [{"source": f"{number}:{name}", "source_url": url, "name": name}],
            "distances": [score],
        },
    }

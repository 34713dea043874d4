"""How a place in a document is named, and the address at which the page opens it. Pure."""

from collections.abc import Iterable

from kb.text.languages import asked_in
from kb.values.answers import Citation
from kb.values.passages import Passage
from server.http.places import place_url

_NOT_CONFIRMED = {"en": "not confirmed", "zh": "未证实"}
_PAGE = {"en": "p. {page}", "zh": "第 {page} 页"}


class Places:
    """Names and addresses for one answer.

    Args:
        base_url: Where the reader of the answer reaches the page; without a slash at its end.
        question: Tells the language.
    """

    def __init__(self, base_url: str, question: str) -> None:
        self._base_url = base_url
        self._language = asked_in(question)
        self._names: dict[str, int] = {}

    def url(self, place: Citation | Passage) -> str:
        """Opens the page at a place. See `place_url`."""
        return place_url(self._base_url, place)

    def name(self, place: Citation | Passage) -> str:
        """Path, page and heading; and of a citation, whether its quote does not say all that it should."""
        parts = [place.source]
        if place.page:
            parts.append(_PAGE[self._language].format(page=place.page))
        # The outermost heading is mostly the title of the document.
        parts += place.heading.split(" › ")[-1:] if place.heading else []
        parts += ["OCR"] if place.by_ocr else []
        name = " · ".join(parts)
        is_doubtful = isinstance(place, Citation) and not place.verified
        return f"{name} ({_NOT_CONFIRMED[self._language]})" if is_doubtful else name

    def own_name(self, citation: Citation) -> str:
        """A name that no citation of another number has; clients count sources by their names."""
        name = self.name(citation)
        if self._names.setdefault(name, citation.number) == citation.number:
            return name
        return f"{name} [{citation.number}]"


def first_of_each(citations: Iterable[Citation]) -> list[Citation]:
    """One citation for each number; of several, one that is verified."""
    chosen: dict[int, Citation] = {}
    for citation in citations:
        if not (known := chosen.get(citation.number)) or (citation.verified and not known.verified):
            chosen[citation.number] = citation
    return list(chosen.values())

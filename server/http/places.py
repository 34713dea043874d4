"""The address at which the page opens a place of a document. Pure."""

from urllib.parse import urlencode

from kb.values.answers import Citation
from kb.values.passages import Passage


def place_url(base_url: str, place: Citation | Passage) -> str:
    """Opens the page at a place, with the text around it.

    Args:
        base_url: Where the reader reaches the page; without a slash at its end.
    """
    where = {"document": place.document_id, "start": place.start, "end": place.end}
    return f"{base_url}/#{urlencode(where | ({'page': place.page} if place.page else {}))}"

"""The address at which the page opens a place of a document. Pure."""

from urllib.parse import urlencode

from kb.values.answers import Citation
from kb.values.passages import Passage


def place_url(base_url: str, place: Citation | Passage) -> str:
    """Opens the page at a place, with the text around it.

    Args:
        base_url: Where the reader reaches the page; without a slash at its end.
    """
    return f"{base_url}/{place_hash(place.document_id, place.start, place.end, place.page)}"


def place_hash(document_id: str, start: int, end: int, page: int | None = None) -> str:
    """What stands behind the address of the page to open a place of a document, from `#` on."""
    where: dict[str, str | int] = {"document": document_id, "start": start, "end": end}
    return f"#{urlencode(where | ({'page': page} if page else {}))}"

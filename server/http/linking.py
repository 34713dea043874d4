"""Where links between documents lead, as addresses that the page opens."""

import re
from collections.abc import Iterable
from itertools import groupby
from operator import attrgetter

from fastapi import APIRouter

from ingest.formats.markdown_links import place_of
from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.links import Destination, Linked
from server.http import schemas
from server.http.dependencies import Knowledge, Working, errors
from server.http.places import place_hash
from server.http.threads import in_thread

_PAGE = re.compile(r"page=(\d{1,6})")

router = APIRouter()


@router.get(
    "/documents/{document_id}/links",
    summary="Follow links between documents",
    responses=errors(_404="No such document."),
)
async def list_links(document_id: str, knowledge_base: Knowledge, threads: Working) -> schemas.DocumentLinks:
    """To which documents a document links, and which link to it, as things are now.

    Links are those of Obsidian (`[[name]]`, `![[embed]]`), found by path, name, title or alias, and relative ones of
    Markdown.
    """

    def listed() -> schemas.DocumentLinks:
        knowledge_base.document(document_id)
        outgoing, incoming = knowledge_base.outgoing_links(document_id), knowledge_base.incoming_links(document_id)
        places = addresses(knowledge_base, outgoing)
        return schemas.DocumentLinks(
            to=[schemas.DocumentLink.of(linked, places.get(linked.link.destination)) for linked in outgoing],
            by=[
                schemas.DocumentLink.of(linked, place_hash(linked.document_id, linked.link.start, linked.link.end))
                for linked in incoming
            ],
        )

    return await in_thread(threads.state, listed)


def addresses(knowledge_base: KnowledgeBase, links: Iterable[Linked]) -> dict[Destination, str]:
    """Where the page opens what links lead to; those that lead nowhere are missing.

    Each text is read once, and only where a place of it is meant.
    """
    found: dict[Destination, str] = {}
    by_document = attrgetter("document_id")
    for document_id, group in groupby(sorted(filter(by_document, links), key=by_document), key=by_document):
        destinations = {linked.link.destination for linked in group}
        text = _text(knowledge_base, document_id) if any(fragment for _, fragment, _ in destinations) else ""
        for destination in destinations:
            page = _PAGE.fullmatch(destination[1])
            place = place_of(text, destination[1]) if destination[1] else None
            found[destination] = place_hash(document_id, *(place or (0, 0)), int(page[1]) if page else None)
    return found


def _text(knowledge_base: KnowledgeBase, document_id: str) -> str:
    try:
        return knowledge_base.text(document_id)
    except NotFound:  # it has just gone
        return ""

"""Which models a client of `/v1` may choose: the library, each of its top folders, and models without documents.

Where a small model stands beside the large one, `:small` and `:large` behind a library say which of them answers.
"""

from dataclasses import dataclass, replace

from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.answers import Routing
from kb.values.filters import EVERYTHING, Filters
from server.http.libraries import LIBRARY, libraries

ROLES: tuple[Routing, ...] = ("small", "large")


class UnknownModel(NotFound):
    """No model of this name is offered."""

    code = "model_not_found"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that answers.

    Attributes:
        filters: Which documents may answer; None: no documents, only the model itself.
        routing: Which of two models answers; None: as in the settings.
    """

    id: str
    filters: Filters | None
    routing: Routing | None = None


def offers(knowledge_base: KnowledgeBase) -> list[Offer]:
    """All that is offered, the library first."""
    offered = [Offer(name, filters) for name, filters in libraries(knowledge_base).items()]
    large, small = knowledge_base.models.answering().name, knowledge_base.models.small()
    if small:
        offered[1:1] = [Offer(f"{LIBRARY}:{role}", EVERYTHING, role) for role in ROLES]
    if large:
        offered.append(Offer(large, None, "large"))
    if small and small.name not in ("", large):
        offered.append(Offer(small.name, None, "small"))
    return offered


def find_offer(knowledge_base: KnowledgeBase, name: str) -> Offer:
    """What answers under a name.

    Raises:
        UnknownModel: Nothing does.
    """
    known = {offer.id: offer for offer in offers(knowledge_base)}
    library, _, suffix = name.rpartition(":")
    if name in known:
        return known[name]
    for role in ROLES:  # of folders they are not listed: the list would be three times as long
        if role == suffix and library in known and known[library].filters is not None:
            return replace(known[library], id=name, routing=role)
    raise _unknown(name, "GET /v1/models lists what there is")


def check_embedding_model(knowledge_base: KnowledgeBase, name: str) -> None:
    """Checks that it is the embedding model that a client names.

    Raises:
        UnknownModel: It is another.
    """
    own = knowledge_base.models.embedding().name
    if name not in (own, LIBRARY):
        raise _unknown(name, f"texts are embedded with {own}, which {LIBRARY} stands for, too")


def _unknown(name: str, hint: str) -> UnknownModel:
    return UnknownModel(f"no model is called {name!r}", hint)

"""Which models a client of `/v1` may choose: the library, each of its top folders, and the model without documents."""

from dataclasses import dataclass

from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.filters import Filters
from server.http.libraries import LIBRARY, libraries


class UnknownModel(NotFound):
    """No model of this name is offered."""

    code = "model_not_found"


@dataclass(frozen=True, slots=True)
class Offer:
    """Something that answers.

    Attributes:
        filters: Which documents may answer; None: no documents, only the model itself.
    """

    id: str
    filters: Filters | None


def offers(knowledge_base: KnowledgeBase) -> list[Offer]:
    """All that is offered, the library first."""
    offered = [Offer(name, filters) for name, filters in libraries(knowledge_base).items()]
    model = knowledge_base.models.answering().name
    return [*offered, Offer(model, None)] if model else offered


def find_offer(knowledge_base: KnowledgeBase, name: str) -> Offer:
    """What answers under a name.

    Raises:
        UnknownModel: Nothing does.
    """
    found = next((offer for offer in offers(knowledge_base) if offer.id == name), None)
    if found is None:
        raise _unknown(name, "GET /v1/models lists what there is")
    return found


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

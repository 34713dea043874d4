"""Which models a client of `/v1` may choose: the library, each of its top folders, and the model without documents."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath

from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.filters import EVERYTHING, Filters

LIBRARY = "r1-kb"


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
    """All that is offered, the library first.

    A folder is named `r1-kb/FOLDER`: one right below a watched folder, or one of several watched folders. Those of the
    same name are one.
    """
    folders: dict[str, tuple[str, ...]] = {}
    for name, path in _folders(knowledge_base):
        folders[name] = (*folders.get(name, ()), path)
    offered = [Offer(LIBRARY, EVERYTHING)]
    offered += [Offer(f"{LIBRARY}/{name}", Filters(folders=paths)) for name, paths in sorted(folders.items())]
    model = knowledge_base.models.answering().name
    return [*offered, Offer(model, None)] if model else offered


def find_offer(knowledge_base: KnowledgeBase, name: str) -> Offer:
    """What answers under a name.

    Raises:
        UnknownModel: Nothing does.
    """
    found = next((offer for offer in offers(knowledge_base) if offer.id == name), None)
    if found is None:
        raise UnknownModel(f"no model is called {name!r}", "GET /v1/models lists what there is")
    return found


def _folders(knowledge_base: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """Names, and the absolute path that each stands for."""
    watched = [folder.root for folder in knowledge_base.folders()]
    if len(watched) > 1:
        yield from ((PurePath(root).name, root) for root in watched)
    for root, folder in knowledge_base.top_folders():
        yield folder, str(PurePath(root, folder))

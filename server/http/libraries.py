"""What of the documents other programs may choose by a name: all of them, a top folder, or a saved filter."""

from collections.abc import Iterator
from pathlib import PurePath

from kb.errors import NotFound
from kb.knowledge_base import KnowledgeBase
from kb.values.filters import EVERYTHING, Filters

LIBRARY = "r1-kb"


def libraries(knowledge_base: KnowledgeBase) -> dict[str, Filters]:
    """The documents that each name stands for; `r1-kb`, all of them, comes first.

    A folder is named `r1-kb/FOLDER`: one right below a watched folder, or one of several watched folders. Those of the
    same name are one. A saved filter is named so, too, and goes before a folder.
    """
    folders: dict[str, tuple[str, ...]] = {}
    for name, path in _folders(knowledge_base):
        folders[name] = (*folders.get(name, ()), path)
    named = {name: Filters(folders=folders[name]) for name in sorted(folders)} | knowledge_base.settings.saved_filters
    return {LIBRARY: EVERYTHING} | {f"{LIBRARY}/{name}": filters for name, filters in named.items()}


def find_library(knowledge_base: KnowledgeBase, name: str) -> Filters:
    """The documents that a name stands for; it may do without `r1-kb/`, and none stands for all.

    Raises:
        NotFound: Nothing has this name.
    """
    known = libraries(knowledge_base)
    for candidate in (name or LIBRARY, f"{LIBRARY}/{name}"):
        if candidate in known:
            return known[candidate]
    raise NotFound(f"there is no library {name!r}", f"there are: {', '.join(known)}")


def _folders(knowledge_base: KnowledgeBase) -> Iterator[tuple[str, str]]:
    """Names, and the absolute path that each stands for."""
    watched = [folder.root for folder in knowledge_base.folders()]
    if len(watched) > 1:
        yield from ((PurePath(root).name, root) for root in watched)
    for root, folder in knowledge_base.top_folders():
        yield folder, str(PurePath(root, folder))

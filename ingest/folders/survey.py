"""What all watched folders hold now, and what of them cannot be seen.

A folder that cannot be read is never taken for an empty one, nor is the empty folder on which its drive was mounted.
"""

import logging
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from ingest.folders.ignore import IGNORE_FILE
from ingest.folders.listing import Listing, Trouble, list_files
from ingest.folders.place import Place
from kb.values.documents import FileVersion, WatchedFolder

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Survey:
    """One look at all watched folders.

    Attributes:
        folders: As they are to be remembered.
        unreachable: Those of them that cannot be read now.
        files: What can be indexed.
        hidden: Files that cannot be seen now, and folders below which nothing can.
        troubles: What is wrong with single folders and rules, by where that is.
        unsupported: Numbers of files that no loader reads, by extension.
    """

    folders: tuple[WatchedFolder, ...]
    unreachable: frozenset[str] = frozenset()
    files: tuple[FileVersion, ...] = ()
    hidden: frozenset[Place] = frozenset()
    troubles: Mapping[Place, Trouble] = field(default_factory=dict)
    unsupported: Mapping[str, int] = field(default_factory=dict)


def survey(
    folders: Sequence[WatchedFolder], has_documents: Callable[[str], bool], check: Callable[[], None] = lambda: None
) -> Survey:
    """Looks at folders.

    Args:
        folders: As they were at the last look.
        has_documents: Whether anything is indexed from a folder.
        check: Called time and again; what it raises ends the look.
    """
    seen = []
    unreachable = set()
    files: list[FileVersion] = []
    hidden: set[Place] = set()
    troubles: dict[Place, Trouble] = {}
    unsupported: Counter[str] = Counter()
    for folder in folders:
        listing = _listing(folder, check)
        if listing is None or _lost_its_drive(folder, listing, has_documents):
            unreachable.add(folder.root)
            hidden.add((folder.root, ""))
            seen.append(folder)
            continue
        seen.append(replace(folder, device=listing.device))
        files += listing.files
        unsupported.update(listing.unsupported)
        for trouble in listing.troubles:
            troubles[folder.root, trouble.source] = trouble
            if PurePosixPath(trouble.source).name != IGNORE_FILE:
                hidden.add((folder.root, trouble.source))
    return Survey(
        folders=tuple(seen),
        unreachable=frozenset(unreachable),
        files=tuple(files),
        hidden=frozenset(hidden),
        troubles=troubles,
        unsupported=unsupported,
    )


def is_away(folder: WatchedFolder) -> bool:
    """Whether what a folder holds cannot be known now; for a folder from which something is indexed."""
    try:
        with os.scandir(folder.root) as entries:
            is_empty = next(entries, None) is None
        device = Path(folder.root).stat().st_dev
    except OSError:
        return True
    return is_empty and _is_another(folder, device)


def _listing(folder: WatchedFolder, check: Callable[[], None]) -> Listing | None:
    try:
        return list_files(Path(folder.root), check)
    except OSError as error:
        logger.debug("%s: %s", folder.root, error.strerror)
        return None


def _lost_its_drive(folder: WatchedFolder, listing: Listing, has_documents: Callable[[str], bool]) -> bool:
    return listing.empty and _is_another(folder, listing.device) and has_documents(folder.root)


def _is_another(folder: WatchedFolder, device: int) -> bool:
    return folder.device is not None and folder.device != device

"""One look at the folders: removals and renames are followed at once, what is to be read comes back as a plan.

Events tell only that it is time to look; what is found here is believed.
"""

import logging
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ingest.folders.intake import remove_leftovers
from ingest.folders.opening import hash_file
from ingest.folders.place import Place, place_of
from ingest.folders.scan import Changes, compare
from ingest.folders.settling import Settling
from ingest.folders.survey import Survey, survey
from ingest.pipeline.document_index import DocumentIndex
from ingest.pipeline.indexer import deserves_another_try
from ingest.pipeline.reading import recipe_by
from ingest.settings import IngestSettings
from kb.errors import UnreadableFile
from kb.values.documents import Failure, FileVersion, WatchedFolder

logger = logging.getLogger(__name__)

SMALL_BYTES = 100_000
"""Files of this length take seconds: which one comes first is asked of their times alone."""

HIDDEN_SECONDS = 30.0
"""How soon a folder that could not be read is looked at again: no event tells that it is back."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What a look has left to do.

    Attributes:
        ready: Files to be read, in order.
        restless: Those of them that are to be read as they are, though they keep changing.
        unsettled: Files that are being written.
        missed: Documents whose file has been gone for a moment only.
        look_again_seconds: Time until the next look, if nothing asks for one before.
        folders: The watched folders, each with whether it could be read.
        unsupported: Numbers of files that no loader reads, by extension.
    """

    ready: Sequence[FileVersion]
    restless: frozenset[Place]
    unsettled: Sequence[FileVersion]
    missed: frozenset[Place]
    look_again_seconds: float
    folders: tuple[tuple[Path, bool], ...]
    unsupported: Mapping[str, int]


NO_PLAN = Plan((), frozenset(), (), frozenset(), 0.0, (), {})


class Reconciler:
    """Compares folders with the catalog, time and again.

    Args:
        knowledge_base: Is changed where a file was moved or is gone.
        folders: Absolute, none inside another.
        settings: Limits and pauses.
        check: Called between changes; what it raises ends a look.
    """

    def __init__(
        self,
        knowledge_base: DocumentIndex,
        folders: Sequence[Path],
        settings: IngestSettings,
        check: Callable[[], None],
    ) -> None:
        self._knowledge_base = knowledge_base
        self._settings = settings
        self._check = check
        known = {folder.root: folder for folder in knowledge_base.folders()}
        self._folders: tuple[WatchedFolder, ...] = tuple(
            known.get(str(folder), WatchedFolder(str(folder))) for folder in folders
        )
        self._unreachable: frozenset[str] = frozenset()
        self._settling = Settling(self._settings.settle_seconds)

    def begin(self) -> None:
        """Notes for the next start which folders are watched, and removes what a process that was killed has left."""
        for folder in self._folders:
            remove_leftovers(Path(folder.root))
        self._knowledge_base.remember_folders(self._folders)

    def look(self) -> Plan:
        """Looks at the folders and follows what has gone or moved."""
        documents = self._knowledge_base.documents()
        found = survey(self._folders, {document.file.root for document in documents}.__contains__, self._check)
        self._remember(found)
        failures = self._standing_failures(found)
        recipe = recipe_by(self._settings, self._knowledge_base.read_tokens())
        changes = compare(found.files, documents, failures, found.hidden, recipe, _hash_or_nothing)
        gone = self._settling.gone(changes.removed)
        self._follow(replace(changes, removed=gone))
        waiting = [*_in_order([*changes.modified, *changes.added]), *_in_order(changes.outdated)]
        settled = self._settling.settled(waiting)
        ready = [*settled.still, *settled.restless]
        unsettled = set(waiting).difference(ready)
        missed = {place_of(document.file) for document in changes.removed if document not in gone}
        return Plan(
            ready=ready,
            restless=frozenset(map(place_of, settled.restless)),
            unsettled=tuple(unsettled),
            missed=frozenset(missed),
            look_again_seconds=self._pause(found, all_settled=not missed and not unsettled),
            folders=tuple((Path(folder.root), folder.root not in found.unreachable) for folder in found.folders),
            unsupported=found.unsupported,
        )

    def was_read(self, file: FileVersion) -> None:
        """Tells that a version of a file was read: if it changes again, patience with it begins anew."""
        self._settling.read(file)

    def next_try_seconds(self) -> float:
        """Time until a file that has failed is to be tried again; infinite if there is none."""
        soonest = self._knowledge_base.next_try_at()
        return max(0.0, soonest.timestamp() - time.time()) if soonest else math.inf

    def _remember(self, found: Survey) -> None:
        for root in found.unreachable - self._unreachable:
            logger.warning("%s cannot be read; its documents are kept", root)
        self._unreachable = found.unreachable
        if found.folders != self._folders:
            self._folders = found.folders
            self._knowledge_base.remember_folders(found.folders)

    def _standing_failures(self, found: Survey) -> list[Failure]:
        """The failures that still hold; those of whole folders are brought up to date with what was found."""
        failures = self._knowledge_base.failures()
        known = {(place_of(failure.file), failure.reason) for failure in failures}
        for place, trouble in found.troubles.items():
            if (place, trouble.reason) not in known:
                self._knowledge_base.record_failure(FileVersion(*place, 0, 0), trouble.reason, trouble.hint)
        return [
            failure
            for failure in failures
            if place_of(failure.file) not in found.troubles
            and not deserves_another_try(failure, self._settings.max_file_bytes)
        ]

    def _follow(self, changes: Changes) -> None:
        for document, file in changes.renamed:
            self._check()
            self._knowledge_base.move(document.id, replace(file, sha256=document.file.sha256))
            logger.info("%s is now %s", document.file.source, file.source)
        for document in changes.removed:
            self._check()
            self._knowledge_base.remove(document.id)
            logger.info("%s is gone", document.file.source)
        for file in changes.cleared:
            self._knowledge_base.clear_failure(file.root, file.source)

    def _pause(self, found: Survey, *, all_settled: bool) -> float:
        pauses = [self._settings.sync_seconds]
        if not all_settled:
            pauses.append(self._settings.settle_seconds)
        if found.hidden:
            pauses.append(HIDDEN_SECONDS)
        return min(pauses)


def _in_order(files: Iterable[FileVersion]) -> list[FileVersion]:
    """Small files first, what was written last before what is older; large files by their length."""
    return sorted(files, key=lambda file: (max(file.size_bytes, SMALL_BYTES), -file.modified_ns))


def _hash_or_nothing(file: FileVersion) -> str:
    try:
        return hash_file(Path(file.root), file.source, file.size_bytes)
    except UnreadableFile:
        return ""

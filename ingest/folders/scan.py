"""(folders as they are, catalog as it is) → what has to happen so that they agree.

Pure. Events tell only that it is time to look; this comparison is what is believed.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from ingest.folders.place import Place, place_of
from kb.values.documents import DocumentInfo, Failure, FileVersion


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to happen so that the catalog equals the folders.

    Attributes:
        added: Files that were never indexed.
        modified: Files whose state differs from that in which they were indexed, or failed.
        outdated: Files that are what they were, but were indexed by another recipe.
        renamed: Documents with the place to which their file was moved.
        removed: Documents whose file is gone.
        cleared: Failures whose file is gone.
    """

    added: Sequence[FileVersion] = ()
    modified: Sequence[FileVersion] = ()
    outdated: Sequence[FileVersion] = ()
    renamed: Sequence[tuple[DocumentInfo, FileVersion]] = ()
    removed: Sequence[DocumentInfo] = ()
    cleared: Sequence[FileVersion] = ()


def compare(
    files: Iterable[FileVersion],
    documents: Iterable[DocumentInfo],
    failures: Iterable[Failure],
    hidden: Collection[Place],
    recipe: str,
    hash_of: Callable[[FileVersion], str],
) -> Changes:
    """Compares folders and catalog.

    Args:
        files: All files in the folders that can be seen now.
        hidden: Files and folders that cannot be seen now, the path of a folder being empty or ending with `/`; what
            was indexed from them is left alone.
        recipe: Version of readers and chunker.
        hash_of: SHA-256 of a file; asked only where a new file has the size of one that is gone.
    """
    present = {place_of(file): file for file in files}
    indexed = {place_of(document.file): document for document in documents}
    failed = {place_of(failure.file): failure.file for failure in failures}
    gone = [indexed[place] for place in _missing(indexed, present, hidden)]
    added: list[FileVersion] = []
    modified: list[FileVersion] = []
    outdated: list[FileVersion] = []
    for place, file in present.items():
        document = indexed.get(place)
        if place in failed and same_state(file, failed[place]):
            continue
        if document is None:
            (modified if place in failed else added).append(file)
        elif not same_state(file, document.file):
            modified.append(file)
        elif document.recipe != recipe:
            outdated.append(file)
    renamed = _pair_renames(gone, added, hash_of)
    moved_ids = {document.id for document, _ in renamed}
    moved_to = {place_of(file) for _, file in renamed}
    return Changes(
        added=[file for file in added if place_of(file) not in moved_to],
        modified=modified,
        outdated=outdated,
        renamed=renamed,
        removed=[document for document in gone if document.id not in moved_ids],
        cleared=[failed[place] for place in _missing(failed, present, hidden)],
    )


def _missing(known: Iterable[Place], present: Collection[Place], hidden: Collection[Place]) -> list[Place]:
    return [place for place in known if place not in present and not _is_hidden(place, hidden)]


def _is_hidden(place: Place, hidden: Collection[Place]) -> bool:
    root, source = place
    ends = [0, *(n for n, char in enumerate(source, start=1) if char == "/"), len(source)] if hidden else []
    return any((root, source[:end]) in hidden for end in ends)


def _pair_renames(
    gone: Iterable[DocumentInfo], added: Iterable[FileVersion], hash_of: Callable[[FileVersion], str]
) -> list[tuple[DocumentInfo, FileVersion]]:
    by_size: dict[int, list[DocumentInfo]] = {}
    for document in gone:
        by_size.setdefault(document.file.size_bytes, []).append(document)
    pairs = []
    for file in added:
        candidates = by_size.get(file.size_bytes)
        if not candidates:
            continue
        content = hash_of(file)
        match = next((document for document in candidates if document.file.sha256 == content), None)
        if match is not None:
            candidates.remove(match)
            pairs.append((match, file))
    return pairs


def same_state(file: FileVersion, known: FileVersion) -> bool:
    """Whether a file has not been touched since it was known; a time of change that was not noted differs from none."""
    if (file.size_bytes, file.modified_ns) != (known.size_bytes, known.modified_ns):
        return False
    return file.changed_ns == known.changed_ns or not known.changed_ns

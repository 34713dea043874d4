"""(folders as they are, catalog as it is) → what has to happen so that they agree.

Pure. Events tell only that it is time to look; this comparison is what is believed.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass

from kb.types import DocumentInfo, Failure, FileVersion


@dataclass(frozen=True, slots=True)
class Changes:
    """What has to happen so that the catalog equals the folders.

    Attributes:
        added: Files that were never indexed.
        modified: Files whose size or time differ from what was indexed, or from what failed.
        renamed: Documents with the place to which their file was moved.
        removed: Documents whose file is gone.
        cleared: Failures whose file is gone.
    """

    added: Sequence[FileVersion] = ()
    modified: Sequence[FileVersion] = ()
    renamed: Sequence[tuple[DocumentInfo, FileVersion]] = ()
    removed: Sequence[DocumentInfo] = ()
    cleared: Sequence[FileVersion] = ()


def compare(
    files: Iterable[FileVersion],
    documents: Iterable[DocumentInfo],
    failures: Iterable[Failure],
    unreachable: Collection[str],
    hash_of: Callable[[FileVersion], str],
) -> Changes:
    """Compares folders and catalog.

    Args:
        files: All files in the folders that could be read.
        unreachable: Watched folders that cannot be read now; what was indexed from them is left alone.
        hash_of: SHA-256 of a file; asked only where a new file has the size of one that is gone.
    """
    present = {_place(file): file for file in files}
    indexed = {_place(document.file): document for document in documents}
    failed = {_place(failure.file): failure.file for failure in failures}
    gone = [document for place, document in indexed.items() if place not in present and place[0] not in unreachable]
    added: list[FileVersion] = []
    modified: list[FileVersion] = []
    for place, file in present.items():
        if _same_state(file, failed.get(place)):
            continue
        if place not in indexed:
            (modified if place in failed else added).append(file)
        elif not _same_state(file, indexed[place].file):
            modified.append(file)
    renamed = _pair_renames(gone, added, hash_of)
    moved_ids = {document.id for document, _ in renamed}
    moved_to = {_place(file) for _, file in renamed}
    return Changes(
        added=[file for file in added if _place(file) not in moved_to],
        modified=modified,
        renamed=renamed,
        removed=[document for document in gone if document.id not in moved_ids],
        cleared=[file for place, file in failed.items() if place not in present and place[0] not in unreachable],
    )


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


def _place(file: FileVersion) -> tuple[str, str]:
    return file.root, file.source


def _same_state(file: FileVersion, known: FileVersion | None) -> bool:
    return known is not None and (file.size_bytes, file.modified_ns) == (known.size_bytes, known.modified_ns)

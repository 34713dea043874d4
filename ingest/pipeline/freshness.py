"""Whether the files behind some documents are still what was indexed of them: one `stat` each.

Content is read only where the state of a file differs and its length does not. What is to be done about a change is
the pipeline's business, and so is everything that is not asked for.
"""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from ingest.folders.listing import NOT_THERE, stat_file
from ingest.folders.opening import hash_file
from ingest.folders.place import Place, place_of
from ingest.folders.scan import same_state
from ingest.folders.survey import is_away
from kb.errors import UnreadableFile
from kb.values.documents import DocumentInfo, FileVersion, WatchedFolder


class FolderFreshness:
    """The port `kb.ports.Freshness` over watched folders.

    Args:
        folders: Gives the watched folders as they are remembered.
        refresh: Deals with some files before all others, waiting so many seconds at the most.
    """

    def __init__(
        self,
        folders: Callable[[], Sequence[WatchedFolder]],
        refresh: Callable[[Collection[Place], float], object],
    ) -> None:
        self._folders = folders
        self._refresh = refresh

    def drifted(self, documents: Sequence[DocumentInfo]) -> list[DocumentInfo]:
        """See `kb.ports.Freshness`. A file that was only touched has not drifted."""
        return [document for document in documents if self._has_drifted(document.file)]

    def refresh(self, documents: Sequence[DocumentInfo], timeout_seconds: float) -> None:
        """See `kb.ports.Freshness`."""
        self._refresh([place_of(document.file) for document in documents], timeout_seconds)

    def _has_drifted(self, known: FileVersion) -> bool:
        path = Path(known.root, known.source)
        now = stat_file(Path(known.root), path)
        if now is None:
            return self._is_gone(known, path)
        return not same_state(now, known) and not _same_content(now, known)

    def _is_gone(self, known: FileVersion, path: Path) -> bool:
        try:
            path.stat()
        except OSError as error:
            folder = next(
                (folder for folder in self._folders() if folder.root == known.root), WatchedFolder(known.root)
            )
            return error.errno in NOT_THERE and not is_away(folder)
        return True  # a folder, or whatever else, has its name


def _same_content(now: FileVersion, known: FileVersion) -> bool:
    try:
        return (
            now.size_bytes == known.size_bytes
            and hash_file(Path(known.root), known.source, known.size_bytes) == known.sha256
        )
    except UnreadableFile:
        return False

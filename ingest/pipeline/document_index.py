"""The port to the knowledge base: what is asked of it to keep its documents equal to the files of some folders.

`kb.KnowledgeBase` is one; whatever else has these methods can be kept up to date as well.
"""

import datetime
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from kb.ports import Freshness
from kb.values.documents import Chunk, Document, DocumentInfo, Failure, FailureKind, FileVersion, WatchedFolder
from kb.values.happenings import Happening
from kb.values.scans import ScannedPage


class DocumentIndex(Protocol):
    """Documents and the files that they were read from; one thread changes them, any may look."""

    def observe(self, happening: Happening) -> None:
        """Is told what happens, so that somebody may count it."""

    def check_files_with(self, files: Freshness) -> None:
        """Has the files of what is found compared with the index before a question is answered."""

    # Documents

    def documents(self) -> list[DocumentInfo]:
        """All indexed documents."""

    def find(self, root: str, source: str) -> DocumentInfo | None:
        """The document that was read from a file, or None."""

    def replace(
        self,
        file: FileVersion,
        document: Document,
        chunks: Sequence[Chunk],
        check: Callable[[], None] = ...,
        *,
        recipe: str = "",
    ) -> str:
        """Indexes a file's content in the place of what was known of the file before.

        Args:
            check: Called between batches; what it raises ends the work, and nothing has changed.
            recipe: Version of readers and chunker.

        Returns:
            The document's id.
        """

    def move(self, document_id: str, file: FileVersion) -> None:
        """Notes a file's new place or times; nothing is embedded."""

    def remove(self, document_id: str) -> None:
        """Removes a document whose file is gone."""

    def covered(self, document: Document) -> Document:
        """A document as it may be indexed: without personal data, where the settings want that. Places stay."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Counts tokens as the embedding model does."""

    def read_tokens(self) -> int:
        """How many tokens of a text the embedding model reads; of what is longer, the end is not found by meaning."""

    # Pages without text

    def to_scan(self) -> list[tuple[FileVersion, tuple[int, ...]]]:
        """Files with the pages that have no text and were not read in their pictures yet, the newest first."""

    def pages_to_scan(self) -> int:
        """How many pages wait to be read in their picture."""

    def add_scan(self, sha256: str, page: int, scan: ScannedPage) -> None:
        """Notes what was read in the picture of a page; from any thread."""

    def scans(self, sha256: str) -> dict[int, str]:
        """What was read in the pictures of a file of that content, by page."""

    def outdate_scanned(self) -> int:
        """Has files read anew of which pages were read since, and says of how many; from any thread."""

    # Files that are not indexed

    def next_try_at(self) -> datetime.datetime | None:
        """When a file that has failed is tried again by itself; None: none is."""

    def failures(self) -> list[Failure]:
        """Files that could not be indexed, with the reason."""

    def record_failure(
        self,
        file: FileVersion,
        reason: str,
        hint: str,
        *,
        kind: FailureKind = ...,
        next_try_at: datetime.datetime | None = None,
    ) -> None:
        """Notes why a file is not indexed.

        Args:
            next_try_at: When it is tried again by itself; None: not before it changes or the user asks for it.
        """

    def clear_failure(self, root: str, source: str) -> None:
        """Forgets why a file was not indexed, so that it is tried again."""

    def retry_failures(self) -> int:
        """Forgets why files were not indexed, and says of how many; not of those that the user has forgotten."""

    # The index as a whole

    def wait_for_index(self, timeout_seconds: float | None = None) -> bool:
        """Waits until documents can be indexed, and says whether they can by now."""

    def outdate(self, document_ids: Iterable[str] | None = None) -> int:
        """Takes the recipe off documents, so that their files are read anew, and says of how many; None: of all."""

    def renew_index(self) -> None:
        """Asks for a vector index made anew, from stored embeddings."""

    def reembed(self) -> None:
        """Asks for all embeddings to be computed anew."""

    def maintain(self, check: Callable[[], None] = ...) -> bool:
        """Takes one step of the work that the index needs beside documents, and says whether there is more to do."""

    @property
    def index_has_failed(self) -> bool:
        """Whether nothing more should be indexed before `maintain` has made a new index."""

    # What is known of the folders

    def folders(self) -> list[WatchedFolder]:
        """The folders that were watched last, in the order given."""

    def remember_folders(self, folders: Sequence[WatchedFolder]) -> None:
        """Notes which folders are watched."""

    def note_pending(self, files: int) -> None:
        """Tells how many files wait to be indexed."""

    def note_sync(self) -> None:
        """Tells that the index equals the folders now."""

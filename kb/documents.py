"""The documents of a knowledge base: what is indexed, what is not and why, and how that changes."""

import datetime
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from kb.answering.engines.models import Models
from kb.catalog.catalog import Catalog
from kb.conversations.standing import standing
from kb.conversations.store import ConversationStore
from kb.errors import KBError, NotFound
from kb.observing import Observe, unobserved
from kb.ports import FindPersonal, Vectors, embed_queries
from kb.text.masking import Mask
from kb.values.answers import Citation
from kb.values.conversations import Standing
from kb.values.documents import Chunk, Document, DocumentInfo, Failure, FailureKind, FileVersion, PageSpan
from kb.values.happenings import PersonalDataHidden
from kb.values.links import Linked
from kb.values.personal import none_found
from kb.values.scans import ScannedPage

_CLOSING_SECONDS = 0.2  # within which somebody who waits for quiet notices that all is being closed


class Documents:
    """Safe for use by several threads; one of them replaces, moves and removes documents.

    Args:
        models: What embeds new ones.
        conversations: Closed by whoever closes this.
        find_to_cover: Finds the personal data that is not to be indexed.
        observe: Is told of what was covered.

    Attributes:
        models: The models in use: how far each is, and waiting for them.
        conversations: Those that are kept; they quote the documents.
    """

    def __init__(
        self,
        catalog: Catalog,
        models: Models,
        conversations: ConversationStore,
        find_to_cover: FindPersonal = none_found,
        observe: Observe = unobserved,
    ) -> None:
        self._find_to_cover = find_to_cover
        self._observe = observe
        self._catalog = catalog
        self.conversations = conversations
        self.models = models
        self._closing = threading.Event()

    def documents(self, limit: int | None = None, after: tuple[str, str] = ("", "")) -> list[DocumentInfo]:
        """Indexed documents, ordered by folder and path. See `Catalog.documents`."""
        return self._catalog.documents(limit, after)

    def partly_read(self) -> list[DocumentInfo]:
        """Documents that answer without some of their pages. See `Catalog.partly_read`."""
        return self._catalog.partly_read()

    def document(self, document_id: str) -> DocumentInfo:
        """One document.

        Raises:
            NotFound: There is none with this id.
        """
        document = self._catalog.document(document_id)
        if document is None:
            raise NotFound(
                f"no document has the id {document_id!r}", "GET /documents or `kb status` lists what is indexed"
            )
        return document

    def top_folders(self) -> list[tuple[str, str]]:
        """Watched folders, each with a folder right below it that holds documents. See `Catalog.top_folders`."""
        return self._catalog.top_folders()

    def find(self, root: str, source: str) -> DocumentInfo | None:
        """The document that was read from a file, or None."""
        document_id = self._catalog.document_id(root, source)
        return self._catalog.document(document_id) if document_id else None

    def text(self, document_id: str, start: int = 0, end: int | None = None) -> str:
        """A stretch of a document's text, in characters; without an end, to the end.

        Raises:
            NotFound: There is no such document.
        """
        text = self._catalog.text(document_id, start, end)
        if text is None:
            raise NotFound(f"no document has the id {document_id!r}")
        return text

    def pages(self, document_id: str) -> list[PageSpan]:
        """The pages of a document that have text, in order. See `PageStore.spans`."""
        return self._catalog.pages.spans(document_id)

    def outgoing_links(self, document_id: str) -> list[Linked]:
        """Where the links in a document lead now. See `LinkStore.outgoing`."""
        return self._catalog.links.outgoing(document_id)

    def incoming_links(self, document_id: str) -> list[Linked]:
        """The links in other documents that lead to one now. See `LinkStore.incoming`."""
        return self._catalog.links.incoming(document_id)

    def failures(self) -> list[Failure]:
        """Files that could not be indexed, with the reason."""
        return self._catalog.ledger.failures()

    def to_scan(self) -> list[tuple[FileVersion, tuple[int, ...]]]:
        """Files with the pages that wait to be read in their pictures. See `ScanStore.waiting`."""
        return self._catalog.scans.waiting()

    def pages_to_scan(self) -> int:
        """How many pages wait to be read in their picture."""
        return self._catalog.scans.waiting_pages()

    def add_scan(self, sha256: str, page: int, scan: ScannedPage) -> None:
        """Notes what was read in the picture of a page of a file of that content."""
        self._catalog.scans.add(sha256, page, Mask(self._find_to_cover).scan(scan))

    def covered(self, document: Document) -> Document:
        """A document as it may be indexed: without personal data, where the settings want that."""
        if self._find_to_cover is none_found:
            return document
        mask = Mask(self._find_to_cover)
        document = mask.document(document)
        if mask.counts:
            self._observe(PersonalDataHidden("index", mask.counts))
        return document

    def scans(self, sha256: str) -> dict[int, str]:
        """What was read in the pictures of a file of that content, by page."""
        return self._catalog.scans.texts(sha256)

    def scanned_page(self, document_id: str, page: int) -> ScannedPage | None:
        """What was read in the picture of a page, and where its words stand; None: its text comes from the file."""
        return self._catalog.scans.page(document_id, page)

    def outdate_scanned(self) -> int:
        """Has files read anew of which pages were read since in their pictures, and says of how many."""
        return self._catalog.scans.outdate_read()

    @property
    def index_has_failed(self) -> bool:
        """Whether nothing more should be indexed before `KnowledgeBase.maintain` has made a new index."""
        upkeep = self.models.upkeep.get()
        return upkeep is not None and upkeep.live_index.has_failed

    def replace(
        self,
        file: FileVersion,
        document: Document,
        chunks: Sequence[Chunk],
        check: Callable[[], None] = lambda: None,
        *,
        recipe: str = "",
    ) -> str:
        """Indexes a file's content in the place of what was known of the file before.

        Readers see the old version until this returns, and the new one after. Where the user has forgotten this very
        version of the file meanwhile, nothing changes.

        Args:
            check: Called between batches; what it raises ends the work, and nothing has changed.
            recipe: Version of readers and chunker; see `DocumentInfo.recipe`.

        Returns:
            The document's id.
        """
        return self.models.live_index().replace(file, document, chunks, self._while_open(check), recipe)

    def outdate(self, document_ids: Iterable[str] | None = None) -> int:
        """Takes the recipe off documents, so that their files are read anew. See `Catalog.outdate`."""
        return self._catalog.outdate(document_ids)

    def move(self, document_id: str, file: FileVersion) -> None:
        """Notes a file's new place or times; nothing is embedded. A title made of the file's name follows it.

        A document that is gone is left alone: somebody may just have forgotten it.
        """
        document = self._catalog.document(document_id)
        if document is not None:
            is_named_after_file = document.title == PurePosixPath(document.file.source).stem
            title = PurePosixPath(file.source).stem if is_named_after_file else document.title
            self._catalog.move(document_id, file, title)

    def remove(self, document_id: str) -> None:
        """Removes a document whose file is gone."""
        self.models.live_index().remove(document_id)

    def forget(self, document_id: str) -> DocumentInfo:
        """Removes a document at the user's wish; its file, which is not touched, is passed over until it changes.

        It answers no more when this returns. Once `maintain` has nothing more to do, no byte of its text or its vectors
        is left in the data directory; conversations that are kept lose its quotes, too.

        Raises:
            NotFound: There is no such document.
        """
        upkeep = self.models.upkeep.get()
        forgotten = upkeep.live_index.forget(document_id) if upkeep else self._catalog.forget(document_id)
        self.conversations.forget_document(document_id)
        return forgotten or self.document(document_id)

    def standing(self, citation: Citation) -> tuple[Citation, Standing]:
        """What has become of a citation of an old answer. See `kb.conversations.standing`."""
        return standing(citation, self._catalog.text)

    def record_failure(
        self,
        file: FileVersion,
        reason: str,
        hint: str,
        *,
        kind: FailureKind = FailureKind.UNREADABLE,
        next_try_at: datetime.datetime | None = None,
    ) -> None:
        """Notes why a file is not indexed.

        Args:
            next_try_at: When it is tried again by itself; None: not before it changes or the user asks for it.
        """
        self._catalog.ledger.record_failure(file, reason, hint, kind, next_try_at)

    def clear_failure(self, root: str, source: str) -> None:
        """Forgets why a file was not indexed, so that it is tried again."""
        self._catalog.ledger.clear_failure(root, source)

    def retry_failures(self) -> int:
        """Forgets why files were not indexed, so that they are tried again; not of those that the user has forgotten.

        Returns:
            How many.
        """
        self._catalog.scans.forget_empty()
        return self._catalog.ledger.retry_failures()

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Counts tokens as the embedding model does."""
        return self.models.ready_upkeep().embedder.count_tokens(texts)

    def read_tokens(self) -> int:
        """How many tokens of a text the embedding model reads; of what is longer, the end is not found by meaning."""
        return self.models.ready_upkeep().embedder.max_tokens

    def embed(self, texts: Sequence[str], *, as_queries: bool = False) -> Vectors:
        """Embeds texts with the embedding model.

        Args:
            as_queries: Whether they are questions; else they are what is to be found.

        Returns:
            `(n, d) float32`, unit norm, in the order of the texts.

        Raises:
            ModelError: The model is missing or does not load.
        """
        embedder = self.models.ready_upkeep().embedder
        if as_queries:
            return embed_queries(embedder, texts)
        return embedder.embed_passages(texts)

    def _while_open(self, check: Callable[[], None]) -> Callable[[], None]:
        def may_go_on() -> None:
            while not self.models.quiet.wait(_CLOSING_SECONDS) and not self._closing.is_set():
                pass
            if self._closing.is_set():
                raise KBError("the knowledge base is being closed")
            check()

        return may_go_on

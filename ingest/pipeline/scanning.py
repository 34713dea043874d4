"""Reads the pictures of pages that have no text (OCR), behind all else: while nobody waits for a file to be indexed.

A page that was read is noted at once, under the content of its file; what is still to do follows from the catalog, so a
process that ends loses the page in hand. Their files are then read anew by the pipeline, with what was found.
"""

import logging
import threading
import time
from collections.abc import Callable
from pathlib import Path

from ingest.folders.listing import stat_file
from ingest.pipeline.document_index import DocumentIndex
from ingest.sandbox.process import ReaderDied
from ingest.sandbox.scan_process import ScanProcess
from ingest.settings import IngestSettings
from kb.errors import KBError, UnreadableFile
from kb.values.documents import FileVersion
from kb.values.scans import ScannedPage

logger = logging.getLogger(__name__)

HAND_OVER_SECONDS = 60.0
"""How often the pages of a long file that are read by then become part of its document."""

_MAX_TRIES = 2


class PageScanner:
    """A thread with a child process of its own.

    Args:
        knowledge_base: Knows which pages wait, and is told what was read.
        is_quiet: Whether no file waits to be indexed now.
        hand_over: Called when files are to be read anew.
    """

    def __init__(
        self,
        knowledge_base: DocumentIndex,
        settings: IngestSettings,
        is_quiet: Callable[[], bool],
        hand_over: Callable[[], object],
    ) -> None:
        self._knowledge_base = knowledge_base
        self._settings = settings
        self._is_quiet = is_quiet
        self._hand_over = hand_over
        self._thread = threading.Thread(target=self._run, name="scanner", daemon=True)
        self._woken = threading.Event()
        self._stopping = threading.Event()
        self._process = ScanProcess(self._settings)
        self._tries: dict[tuple[str, int], int] = {}
        self.current: str | None = None
        """The file of which a page is being read."""

    def start(self) -> None:
        """Begins to read, where that is wanted."""
        if self._settings.ocr == "on":
            self._thread.start()

    def stop(self) -> None:
        """Ends at once; the page in hand is read again another time."""
        self._stopping.set()
        self._woken.set()
        self._process.close()
        if self._thread.is_alive():
            self._thread.join()

    def wake(self) -> None:
        """Tells that it is quiet now."""
        self._woken.set()

    def _run(self) -> None:
        while self._wait():
            try:
                self._round()
            except KBError as error:
                if not self._stopping.is_set():
                    logger.error("no picture can be read now: %s; %s", error.message, error.hint)

    def _wait(self) -> bool:
        while not self._stopping.is_set():
            self._woken.wait()
            self._woken.clear()
            if self._is_quiet():
                return not self._stopping.is_set()
        return False

    def _round(self) -> None:
        """Has done what is read, and reads some pages of the next file."""
        if self._knowledge_base.outdate_scanned():
            self._hand_over()
            return
        waiting = self._knowledge_base.to_scan()
        found = next(((file, pages) for file, pages in waiting if _is_there(file)), None)
        if found is None:
            self._rest()
            return
        self._scan(*found)
        self._woken.set()

    def _scan(self, file: FileVersion, pages: tuple[int, ...]) -> None:
        ends_at = time.monotonic() + HAND_OVER_SECONDS
        self.current = file.source
        try:
            for page in pages:
                if not self._is_quiet() or time.monotonic() > ends_at:
                    return
                scan = self._read(file, page)
                if not _is_there(file):
                    return
                if scan is not None:
                    self._knowledge_base.add_scan(file.sha256, page, scan)
        finally:
            self.current = None

    def _read(self, file: FileVersion, page: int) -> ScannedPage | None:
        """What stands in the picture of a page; None: it is to be tried again."""
        began = time.monotonic()
        try:
            scan = self._process.scan(Path(file.root), file.source, page)
        except UnreadableFile as error:
            logger.warning("%s: the picture of page %d was not read: %s", file.source, page, error.message)
            tries = self._tries[file.sha256, page] = self._tries.get((file.sha256, page), 0) + 1
            return None if isinstance(error, ReaderDied) and tries < _MAX_TRIES else ScannedPage()
        seconds = time.monotonic() - began
        logger.info("%s: page %d, %d characters by OCR in %.1f s", file.source, page, len(scan.text), seconds)
        return scan

    def _rest(self) -> None:
        """Gives the memory of the child back."""
        self._process.close()
        self._process = ScanProcess(self._settings)
        if self._stopping.is_set():
            self._process.close()


def _is_there(file: FileVersion) -> bool:
    """Whether a file is what its document was read from."""
    now = stat_file(Path(file.root), Path(file.root, file.source))
    return now is not None and (now.size_bytes, now.modified_ns) == (file.size_bytes, file.modified_ns)

"""Reads the pictures of pages in a child process, which gets only the time that nothing else wants."""

from pathlib import Path

from ingest.sandbox.process import CRASH_HINT, SandboxProcess
from ingest.sandbox.scan_wire import decode_scan
from ingest.settings import IngestSettings
from kb.errors import UnreadableFile
from kb.values.scans import ScannedPage

MEMORY_BYTES = 2_500_000_000
"""How much the address space of the child may grow; what it really takes for a page is 0.5 GB."""

_PATIENCE = 5  # times KB_PARSE_SECONDS
_PAGES_PER_CHILD = 500
_MAX_RESIDENT_BYTES = 700_000_000
_MAX_REPLY_BYTES = 20_000_000


class ScanProcess:
    """A child process that reads pictures, one at a time; it is started by the first and replaced when need be.

    Args:
        settings: What a file may cost.
    """

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._process = SandboxProcess(_MAX_REPLY_BYTES, _PAGES_PER_CHILD, _MAX_RESIDENT_BYTES)

    def scan(self, root: Path, source: str, page: int) -> ScannedPage:
        """Reads what stands in the picture of a page.

        Args:
            page: 1-based.

        Raises:
            UnreadableFile: It cannot be drawn, and why.
            ReaderDied: It crashed the child, or took too long.
            ParserUnavailable: The process is closed, or cannot be started.
        """
        request = {
            "task": "scan",
            "root": str(root.absolute()),
            "source": source,
            "page": page,
            "max_bytes": self._settings.max_file_bytes,
            "memory_bytes": MEMORY_BYTES,
        }
        try:
            return decode_scan(self._process.ask(request, _PATIENCE * self._settings.parse_seconds))
        except ValueError as error:
            raise UnreadableFile("crashed the reader: what came back is no page", CRASH_HINT) from error

    def close(self) -> None:
        """Ends the child for good, and with it a `scan` that runs in another thread."""
        self._process.close()

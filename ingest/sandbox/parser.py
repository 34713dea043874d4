"""Reads files in a child process: a document comes back, or a reason in plain words. See `ingest.sandbox.process`."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from ingest.sandbox.process import CRASH_HINT, SandboxProcess
from ingest.sandbox.process import ParserUnavailable as ParserUnavailable
from ingest.sandbox.process import ReaderDied as ReaderDied
from ingest.sandbox.process import ReaderTooSlow as ReaderTooSlow
from ingest.sandbox.wire import decode_reply
from kb.errors import UnreadableFile
from kb.observing import Observe, unobserved
from kb.values.documents import Document

MAX_TEXT_CHARS = 20_000_000
"""Longest text that is taken from one file: about twenty long novels."""

_FILES_PER_CHILD = 200
_MAX_REPLY_BYTES_PER_CHAR = 12  # a character is at most 6 bytes of JSON; the rest is for the blocks
_SPARE_REPLY_BYTES = 1_000_000


class ParserProcess:
    """A child process that reads files, one at a time; it is started by the first file and replaced when need be.

    Args:
        max_text_chars: Files with more text than that are refused.
        files_per_child: After so many files the child is replaced, so that leaks of the libraries do not add up.
        observe: Is told when a file has ended the child.
    """

    def __init__(
        self,
        *,
        max_text_chars: int = MAX_TEXT_CHARS,
        files_per_child: int = _FILES_PER_CHILD,
        observe: Observe = unobserved,
    ) -> None:
        self._max_text_chars = max_text_chars
        max_reply_bytes = max_text_chars * _MAX_REPLY_BYTES_PER_CHAR + _SPARE_REPLY_BYTES
        self._process = SandboxProcess(max_reply_bytes, files_per_child, observe=observe)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def parse(
        self,
        root: Path,
        source: str,
        *,
        seconds: float,
        memory_bytes: int,
        max_bytes: int,
        scans: Mapping[int, str] | None = None,
    ) -> Document:
        """Reads one file; threads that call it at the same time wait for each other.

        Args:
            source: Path below `root`; a link in it is followed if it does not lead out of `root`.
            seconds: Wall-clock limit; starting the child does not count.
            memory_bytes: How much the child may grow while it reads.
            max_bytes: A file with more is refused.
            scans: What was read in pictures of its pages. See `ingest.formats.registry.load`.

        Raises:
            UnreadableFile: No text can be had from the file, and why.
            ReaderDied: It crashed the reader, or took longer than it may (`ReaderTooSlow`).
            ParserUnavailable: `close` was called before or meanwhile, or no child can be started.
        """
        request = {
            "task": "document",
            "root": str(root.absolute()),
            "source": source,
            "max_bytes": max_bytes,
            "memory_bytes": memory_bytes,
            "max_text_chars": self._max_text_chars,
            "scans": scans,
        }
        reply = self._process.ask(request, seconds)
        try:
            return decode_reply(reply)
        except ValueError as error:
            raise UnreadableFile("crashed the reader: what came back is no document", CRASH_HINT) from error

    def close(self) -> None:
        """Ends the child for good, and with it, within moments, a `parse` that runs in another thread."""
        self._process.close()

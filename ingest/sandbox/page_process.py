"""Looks at the pages of files in a child process: sizes, pictures, and the places of characters."""

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from ingest.formats.page_view import MAX_GLYPHS, MAX_PICTURE_PIXELS, Glyphs
from ingest.sandbox.page_wire import decode_glyphs, decode_picture, decode_sizes
from ingest.sandbox.process import CRASH_HINT, SandboxProcess
from ingest.settings import IngestSettings
from kb.errors import UnreadableFile

MAX_SECONDS = 30.0
"""For one page: a reader waits for it."""

_REQUESTS_PER_CHILD = 2000
_MAX_REPLY_BYTES = max(2 * MAX_PICTURE_PIXELS, 48 * MAX_GLYPHS) + 1_000_000

Value = TypeVar("Value")


class PageProcess:
    """A child process that looks at pages, one at a time; it is started by the first and replaced when need be.

    Args:
        settings: What a file may cost.
    """

    def __init__(self, settings: IngestSettings) -> None:
        self._settings = settings
        self._process = SandboxProcess(_MAX_REPLY_BYTES, _REQUESTS_PER_CHILD)

    def sizes(self, root: Path, source: str) -> list[tuple[int, int]]:
        """Width and height of each page in hundredths of a point.

        Raises:
            UnreadableFile: The file has no pages that can be drawn, and why.
            ParserUnavailable: The process is closed, or cannot be started.
        """
        return self._ask(decode_sizes, root, source, {"task": "sizes"})

    def picture(self, root: Path, source: str, page: int, width_pixels: int) -> bytes:
        """A page as a JPEG image. Raises as `sizes` does."""
        return self._ask(decode_picture, root, source, {"task": "picture", "page": page, "width": width_pixels})

    def glyphs(self, root: Path, source: str, page: int) -> Glyphs:
        """The characters of a page. Raises as `sizes` does."""
        return self._ask(decode_glyphs, root, source, {"task": "glyphs", "page": page})

    def close(self) -> None:
        """Ends the child for good."""
        self._process.close()

    def _ask(self, decode: Callable[[bytes], Value], root: Path, source: str, task: dict[str, object]) -> Value:
        settings = self._settings
        request = {
            **task,
            "root": str(root.absolute()),
            "source": source,
            "max_bytes": settings.max_file_bytes,
            "memory_bytes": settings.parse_memory_bytes,
        }
        try:
            return decode(self._process.ask(request, min(settings.parse_seconds, MAX_SECONDS)))
        except ValueError as error:
            raise UnreadableFile("crashed the reader: what came back is no page", CRASH_HINT) from error

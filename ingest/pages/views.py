"""The pages of files in the watched folders as readers see them; what was seen lately is kept in memory.

Files are looked at in a child process. A file that has changed since it was indexed is shown as it is now, and said to
have changed. Knows nothing of documents but their files.
"""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, cast

from ingest.folders.listing import stat_file
from ingest.folders.scan import same_state
from ingest.formats.page_view import Box, Glyphs
from ingest.pages.alignment import align
from ingest.pages.places import boxes_of
from ingest.sandbox.page_process import PageProcess
from ingest.settings import IngestSettings
from kb.errors import NotFound, UnreadableFile
from kb.values.documents import FileVersion

MAX_CACHE_BYTES = 96_000_000
"""Of pictures and places that are kept: some two hundred pages."""

_GLYPH_BYTES = 120  # a box and its four numbers, as Python keeps them
_SIZE_BYTES = 100

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Picture:
    """A page as it is drawn.

    Attributes:
        jpeg: The image.
        tag: The same for the same picture of the same state of the file.
    """

    jpeg: bytes
    tag: str


class PageViews:
    """Safe for use by several threads; they take turns where a page is not known yet.

    Args:
        settings: What a file may cost.
        max_cache_bytes: How much is kept of what was seen.
    """

    def __init__(self, settings: IngestSettings, max_cache_bytes: int = MAX_CACHE_BYTES) -> None:
        self._process = PageProcess(settings)
        self._kept = _Kept(max_cache_bytes)

    def close(self) -> None:
        """Ends the child process."""
        self._process.close()

    def has_changed(self, file: FileVersion) -> bool:
        """Whether a file is another one than was indexed, or is gone."""
        now = stat_file(Path(file.root), Path(file.root, file.source))
        return now is None or not same_state(now, file)

    def sizes(self, file: FileVersion) -> Sequence[tuple[int, int]]:
        """Width and height of each page in hundredths of a point, of the file as it is now.

        Raises:
            NotFound: The file is gone, or its pages cannot be looked at.
        """
        root, source = Path(file.root), file.source
        return self._seen(file, ("sizes",), lambda: self._process.sizes(root, source), lambda it: _SIZE_BYTES * len(it))

    def picture(self, file: FileVersion, page: int, width_pixels: int) -> Picture:
        """Draws a page.

        Raises:
            NotFound: The file or the page is gone, or it cannot be drawn.
        """
        root, source = Path(file.root), file.source
        jpeg = self._seen(
            file, (page, width_pixels), lambda: self._process.picture(root, source, page, width_pixels), len
        )
        return Picture(jpeg, hashlib.sha256(jpeg).hexdigest()[:32])

    def glyphs(self, file: FileVersion, page: int) -> Glyphs:
        """The characters of a page.

        Raises:
            NotFound: The file or the page is gone, or it cannot be looked at.
        """
        root, source = Path(file.root), file.source
        return self._seen(
            file,
            (page,),
            lambda: self._process.glyphs(root, source, page),
            lambda glyphs: _GLYPH_BYTES * len(glyphs.text),
        )

    def boxes(self, glyphs: Glyphs, text: str, start: int, end: int) -> list[Box]:
        """The boxes of a stretch of a page's text on the page.

        Args:
            text: All of the page's text, so that of two equal stretches the right one is found.
            start: With `end`, the stretch of it.
        """
        places = align(text, glyphs.text)
        return boxes_of((place for place in places[start:end] if place >= 0), glyphs)

    def _seen(
        self, file: FileVersion, what: tuple[Hashable, ...], look: Callable[[], Value], size: Callable[[Value], int]
    ) -> Value:
        now = stat_file(Path(file.root), Path(file.root, file.source))
        if now is None:
            raise NotFound(
                f"the file {file.source} is not there any more", "it is removed from the index at the next sync"
            )
        key = (file.root, file.source, now.size_bytes, now.modified_ns, now.changed_ns, *what)
        found = cast(Value | None, self._kept.get(key))
        if found is None:
            try:
                found = look()
            except UnreadableFile as error:
                raise NotFound(f"{file.source}: {error.message}", error.hint) from error
            self._kept.put(key, found, size(found))
        return found


class _Kept:
    """What was used last, up to a number of bytes."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[object, int]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Hashable) -> object | None:
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: object, size_bytes: int) -> None:
        with self._lock:
            self._bytes += size_bytes - self._values.pop(key, (None, 0))[1]
            self._values[key] = value, size_bytes
            while self._bytes > self._max_bytes and self._values:
                _, (_, freed) = self._values.popitem(last=False)
                self._bytes -= freed

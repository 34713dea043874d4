"""Photographs and scans: PNG, JPEG, TIFF, WebP and HEIC. Their text is what is read in them (OCR).

One without any text is a document still, found by its name.
"""

import contextlib
import io
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import TYPE_CHECKING

from ingest.formats.encoding import clean
from ingest.formats.layout import clean_pages
from ingest.formats.page_view import MAX_PAGES, MAX_PICTURE_PIXELS, MAX_PICTURE_SIDE_PIXELS, UNITS_PER_POINT, Glyphs
from ingest.formats.pdf.sections import PAGE_SEPARATOR, page_blocks
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

if TYPE_CHECKING:
    from PIL.Image import Image

_MAX_PIXELS = 200_000_000  # of a sheet of A1 at 500 dpi; each takes three bytes
_UNITS_PER_PIXEL = UNITS_PER_POINT * 72 / 200  # as if each were a scan of 200 dpi: what it really is, few files say
_JPEG_QUALITY = 90
_HEIC_AT, _HEIC = slice(4, 12), (b"ftypheic", b"ftypheix", b"ftypmif1", b"ftypmsf1", b"ftyphevc", b"ftyphevx")
_ORIENTATION, _FIRST_TURNED = 0x0112, 5  # of EXIF: from 5 on, width and height are exchanged


@dataclass(frozen=True, slots=True)
class ImageLoader:
    """Reads images of one format; those of TIFF may have several pages."""

    media_type: str
    extensions: tuple[str, ...]
    shown: Shown = Shown.AS_IT_IS
    is_markdown: bool = False

    def load(self, name: str, data: bytes, scans: Mapping[int, str] | None = None) -> Document:
        """Reads an image.

        Args:
            scans: See `ingest.formats.registry.load`.

        Raises:
            UnreadableFile: It is broken or too large, or pictures are not read.
        """
        if scans is None:
            raise UnreadableFile("a picture: what stands in it is read by OCR alone", "set KB_OCR=on")
        with _opened(data) as image:
            page_count = _page_count(image)
        numbers = range(1, page_count + 1)
        pages = clean_pages([scans.get(page, "") for page in numbers])
        return Document(
            title=clean(PurePath(name).stem),
            media_type=self.media_type,
            text=PAGE_SEPARATOR.join(pages).rstrip(),
            blocks=tuple(page_blocks(pages, ())),
            page_count=page_count,
            unread_pages=tuple(page for page in numbers if page not in scans),
            ocr_pages=tuple(page for page in numbers if page in scans),
        )


class ImagePages:
    """The pages of an image; see `PagedFile`.

    Raises:
        UnreadableFile: It is broken or too large.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        with _opened(data) as image:
            self._page_count = _page_count(image)

    def sizes(self) -> list[tuple[int, int]]:
        """See `PagedFile`."""
        return [self._size(page) for page in range(1, self._page_count + 1)]

    def picture(self, page: int, width_pixels: int) -> bytes:
        """See `PagedFile`. Turned as the camera was held; what is transparent is white."""
        from PIL import Image, ImageOps

        encoded = io.BytesIO()
        with self._page(page) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            scale = min(
                width_pixels / upright.width,
                math.sqrt(MAX_PICTURE_PIXELS / (upright.width * upright.height)),
                MAX_PICTURE_SIDE_PIXELS / max(upright.size),
            )
            size = max(1, round(upright.width * scale)), max(1, round(upright.height * scale))
            upright.convert("RGB").resize(size).save(encoded, "JPEG", quality=_JPEG_QUALITY, subsampling=0)
        return encoded.getvalue()

    def glyphs(self, page: int) -> Glyphs:
        """See `PagedFile`. An image has no characters of its own."""
        return Glyphs(*self._size(page), "", (), 0)

    def close(self) -> None:
        """See `PagedFile`."""

    def _size(self, page: int) -> tuple[int, int]:
        with self._page(page) as image:
            width, height = image.size
            is_turned = image.getexif().get(_ORIENTATION, 1) >= _FIRST_TURNED
        width, height = (height, width) if is_turned else (width, height)
        return max(1, round(width * _UNITS_PER_PIXEL)), max(1, round(height * _UNITS_PER_PIXEL))

    @contextlib.contextmanager
    def _page(self, page: int) -> Iterator["Image"]:
        if not 1 <= page <= self._page_count:
            raise UnreadableFile(f"the file has no page {page} now", "it is read anew at the next sync")
        with _opened(self._data) as image:
            image.seek(page - 1)
            yield image


IMAGE_LOADERS = (
    ImageLoader("image/png", (".png",)),
    ImageLoader("image/jpeg", (".jpg", ".jpeg")),
    ImageLoader("image/tiff", (".tif", ".tiff"), Shown.AS_DOWNLOAD),
    ImageLoader("image/webp", (".webp",)),
    ImageLoader("image/heic", (".heic", ".heif"), Shown.AS_DOWNLOAD),
)
IMAGE_EXTENSIONS = tuple(extension for loader in IMAGE_LOADERS for extension in loader.extensions)


def _learn_heic() -> None:
    """Teaches Pillow HEIC; what reads it is under the LGPL, and so an extra."""
    try:
        import pi_heif
    except ImportError as error:
        raise UnreadableFile(
            "HEIC pictures need a package that is not installed", "pip install 'r1-kb[heic]', or save it as JPEG"
        ) from error
    pi_heif.register_heif_opener()


def _page_count(image: "Image") -> int:
    """Those of a TIFF; the pictures of another file are one in motion."""
    return min(getattr(image, "n_frames", 1), MAX_PAGES) if image.format == "TIFF" else 1


@contextlib.contextmanager
def _opened(data: bytes) -> Iterator["Image"]:
    """Opens an image; what goes wrong inside of the block is the image's fault."""
    from PIL import Image, UnidentifiedImageError

    if not data:
        raise UnreadableFile("the file is empty")
    if data[_HEIC_AT] in _HEIC:
        _learn_heic()
    Image.MAX_IMAGE_PIXELS = None  # it would warn; the limit is below
    try:
        with Image.open(io.BytesIO(data)) as image:
            if image.width * image.height > _MAX_PIXELS:
                raise UnreadableFile(
                    f"the picture has {image.width:,} × {image.height:,} pixels; the limit is {_MAX_PIXELS:,}",
                    "make it smaller",
                )
            yield image
    except UnidentifiedImageError as error:
        raise UnreadableFile("a broken picture, or one of another format than its name says", "save it anew") from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise UnreadableFile(f"a broken picture: {' '.join(str(error).split())[:120]}", "save it anew") from error

"""Reads the pictures of pages, with RapidOCR and the models that come with it (Chinese and English).

Knows that library's interface; what the lines mean together is decided by `ingest.ocr.page`. Nothing is fetched.
"""

import io
import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ingest.formats.page_view import UNITS_PER_POINT, PagedFile
from ingest.ocr.page import Character, PictureLine, scanned_page
from kb.errors import UnreadableFile
from kb.values.scans import ScannedPage

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

DOTS_PER_POINT = 200 / 72

_LONGEST_SIDE = 3_600  # pixels; a page of A3 has 3,307 at 200 dpi
_LONGEST_SIDE_SEARCHED = 1_280  # lines of 8 points are found as well at 110 dpi, in a quarter of the time of 200
_MIN_SCORE = 0.5  # of a line, the default of the library: what is less likely is mostly no text


class Recogniser:
    """Reads pictures, one at a time; made once, as loading takes half a second."""

    def __init__(self) -> None:
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # read when it is imported
        from rapidocr import RapidOCR

        self._read: Any = RapidOCR(
            params={
                "Global.log_level": "critical",
                "Global.max_side_len": _LONGEST_SIDE,
                "Global.text_score": 0.0,
                "Global.return_word_box": True,
                "Global.return_single_char_box": True,
                "Global.use_cls": False,  # would say which lines are upside down, and is wrong about long ones
                "Det.limit_type": "max",
                "Det.limit_side_len": _LONGEST_SIDE_SEARCHED,
                "Rec.rec_batch_num": 1,  # six long lines at once take 0.5 GB more, and save no time
            }
        )

    def scan(self, pages: PagedFile, page: int) -> ScannedPage:
        """Reads what stands in the picture of a page.

        Args:
            page: 1-based.

        Raises:
            UnreadableFile: It cannot be drawn.
        """
        import numpy as np
        from PIL import Image

        sizes = pages.sizes()
        if page > len(sizes):
            raise UnreadableFile(f"page {page} cannot be looked at")
        width = min(sizes[page - 1][0] / UNITS_PER_POINT * DOTS_PER_POINT, _LONGEST_SIDE)
        with Image.open(io.BytesIO(pages.picture(page, max(round(width), 1)))) as picture:
            return self.read(np.asarray(picture.convert("RGB")))

    def read(self, picture: "NDArray[np.uint8]") -> ScannedPage:
        """Reads a picture.

        Args:
            picture: `(height, width, 3) uint8`, RGB.
        """
        found = self._read(picture[:, :, ::-1])
        if found.txts is None:
            return ScannedPage()
        characters = _CharactersOf(found.word_results or ())
        lines = [
            (PictureLine(text, _corners(box), characters.of(text)), score)
            for box, text, score in zip(found.boxes, found.txts, found.scores, strict=True)
        ]
        height, width, _ = picture.shape
        return scanned_page([line for line, score in lines if score >= _MIN_SCORE], width, height)


class _CharactersOf:
    """Hands out the characters of one line after the other; the library leaves out lines of which it has none."""

    def __init__(self, results: Sequence[Sequence[tuple[str, float, Any]]]) -> None:
        self._results = [list(result) for result in results]

    def of(self, text: str) -> tuple[Character, ...]:
        plain = "".join(text.split())
        if self._results and "".join("".join(char for char, *_ in self._results[0]).split()) == plain:
            return tuple(_characters(self._results.pop(0)))
        return ()


def _characters(result: Sequence[tuple[str, float, Any]]) -> Iterator[Character]:
    for char, _, corners in result:
        if char.strip():
            yield Character(char, _corners(corners))


def _corners(box: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in box)

"""Whether the boxes of quotes cover their words: what lies outside them is blanked, and the rest is read by OCR.

So the picture of the page is the judge, and knows nothing of how boxes are found.
"""

import io
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ingest.formats.page_view import UNITS_PER_POINT, Box
from ingest.formats.pdf.page_view import PdfPages
from ingest.formats.registry import load
from ingest.ocr.engine import DOTS_PER_POINT, Recogniser
from ingest.pages.alignment import align
from ingest.pages.places import boxes_of
from kb.errors import InvalidRequest, KBError
from kb.text.sentences import sentence_spans
from kb.values.documents import Document
from server.measure.bench.ocr_pages import right_characters

if TYPE_CHECKING:
    from PIL.Image import Image

COVERED = 0.9
"""Share of a quote that must be read in its boxes."""

_QUOTE_CHARS = range(40, 240)
_MARGIN_PIXELS = 30
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence of a page.

    Attributes:
        page: 1-based.
        start: In the text of the page, as is `end`.
    """

    path: Path
    page: int
    page_text: str
    start: int
    end: int

    @property
    def text(self) -> str:
        """Its words."""
        return self.page_text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Covered:
    """What is read in the boxes of a quote.

    Attributes:
        share: How much of it is right, in 0…1: of letters and figures in their order, or of words in any, as OCR reads
            the cells of tables in an order of its own.
    """

    quote: Quote
    read: str
    share: float


def measure_boxes(paths: Sequence[Path], quotes: int, seed: int = 0) -> Iterator[Covered]:
    """Looks at random sentences of PDF files.

    Args:
        paths: Of the files.
        quotes: How many sentences, of all files together.

    Raises:
        InvalidRequest: There are no sentences in them.
    """
    found = [quote for path in sorted(paths) for quote in _quotes(path)]
    if not found:
        raise InvalidRequest("no PDF file with sentences", "name files or folders that hold some")
    chosen = sorted(random.Random(seed).sample(range(len(found)), min(quotes, len(found))))
    recogniser = Recogniser()
    for path, of_file in groupby((found[place] for place in chosen), key=lambda quote: quote.path):
        with closing(PdfPages(path.read_bytes())) as pages:
            for quote in of_file:
                read = recogniser.read(np.asarray(_shown(pages, quote))).text
                in_order = right_characters(_plain(quote.text), _plain(read))
                yield Covered(quote, read, max(in_order, _right_words(quote.text, read)))


def _quotes(path: Path) -> Iterator[Quote]:
    try:
        document = load(path.name, path.read_bytes())
    except KBError:
        return
    for page, text in _pages(document):
        for start, end in sentence_spans(text):
            if len(_plain(text[start:end])) in _QUOTE_CHARS:
                yield Quote(path, page, text, start, end)


def _pages(document: Document) -> Iterator[tuple[int, str]]:
    for page, blocks in groupby((each for each in document.blocks if each.page), key=lambda block: block.page or 0):
        of_page = list(blocks)
        yield page, document.text[of_page[0].start : of_page[-1].end]


def _shown(pages: PdfPages, quote: Quote) -> "Image":
    """The page at 200 dpi around the boxes of a quote, with nothing outside them."""
    from PIL import Image, ImageOps

    glyphs = pages.glyphs(quote.page)
    places = align(quote.page_text, glyphs.text)[quote.start : quote.end]
    boxes = boxes_of((place for place in places if place >= 0), glyphs)
    width = round(glyphs.width / UNITS_PER_POINT * DOTS_PER_POINT)
    with Image.open(io.BytesIO(pages.picture(quote.page, width))) as whole:
        blank = Image.new("RGB", whole.size, "white")
        cuts = [_pixels(box, whole.width / glyphs.width) for box in boxes]
        for cut in cuts:
            blank.paste(whole.crop(cut), cut[:2])
    lefts, tops, rights, bottoms = zip(*cuts, strict=True) if cuts else ((0,), (0,), (1,), (1,))
    around = blank.crop((min(lefts), min(tops), max(rights), max(bottoms)))
    return ImageOps.expand(around, _MARGIN_PIXELS, "white")


def _pixels(box: Box, scale: float) -> Box:
    left, top, right, bottom = (round(side * scale) for side in box)
    return left, top, right, bottom


def _plain(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _right_words(said: str, read: str) -> float:
    wanted, found = (Counter(_WORD.findall(text)) for text in (said, read))
    return 2 * (wanted & found).total() / max(1, wanted.total() + found.total())

"""Pages of known text, as a scanner gives them: rendered at some resolution, clean, or askew and noisy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from kb.text.scripts import HAN

if TYPE_CHECKING:
    from PIL.Image import Image
    from PIL.ImageFont import FreeTypeFont

WIDTH_INCHES, HEIGHT_INCHES, MARGIN_INCHES = 8.27, 11.69, 0.9
POINTS = 11
_LEADING = 1.5
_BLUR_PIXELS, _CONTRAST, _GREY, _NOISE, _SPECKS = 0.6, 0.85, 25, 22, 0.004


@dataclass(frozen=True, slots=True)
class Condition:
    """How a page was scanned.

    Attributes:
        dpi: Dots per inch.
        skew_degrees: By how much it lies askew.
        is_noisy: Whether it is blurred, grey, grainy and specked.
    """

    dpi: int
    skew_degrees: float = 0.0
    is_noisy: bool = False


def rendered(text: str, font: Path, condition: Condition, seed: int) -> tuple["Image", str]:
    """Sets a text on a page of A4 in 11 points.

    Args:
        seed: Of the noise.

    Returns:
        The page, and as much of the text as stands on it.
    """
    from PIL import Image, ImageDraw, ImageFont

    size = round(POINTS * condition.dpi / 72)
    face = ImageFont.truetype(font, size, index=_face_index(font))
    width, height = round(WIDTH_INCHES * condition.dpi), round(HEIGHT_INCHES * condition.dpi)
    margin, leading = round(MARGIN_INCHES * condition.dpi), round(size * _LEADING)
    page = Image.new("L", (width, height), "white")
    lines = list(_lines(text, face, width - 2 * margin))[: (height - 2 * margin) // leading]
    for place, line in enumerate(lines):
        ImageDraw.Draw(page).text((margin, margin + place * leading), line, 0, face)
    if condition.skew_degrees:
        page = page.rotate(condition.skew_degrees, Image.Resampling.BICUBIC, fillcolor="white")
    return (_noisy(page, seed) if condition.is_noisy else page), "\n".join(lines)


def right_characters(said: str, read: str) -> float:
    """The share of a text's characters that were read right: 1 less the edit distance, white space aside."""
    wanted, found = "".join(said.split()), "".join(read.split())
    there = np.array([ord(char) for char in found], dtype=np.int64)
    places = np.arange(len(found) + 1)
    distances = places
    for number, char in enumerate(wanted, start=1):
        best = np.minimum(distances[1:] + 1, distances[:-1] + (there != ord(char)))
        distances = np.minimum.accumulate(np.concatenate([[number], best]) - places) + places
    return 1 - int(distances[-1]) / max(1, len(wanted))


def _lines(text: str, face: "FreeTypeFont", width: int) -> Iterator[str]:
    line = ""
    for piece in _pieces(text):
        if line and face.getlength((line + piece).rstrip()) > width:
            yield line.rstrip()
            line = ""
        line += piece
    yield line.rstrip()


def _pieces(text: str) -> Sequence[str]:
    return list(text) if HAN.search(text) else [f"{word} " for word in text.split()]


def _face_index(font: Path) -> int:
    """Of collections of Noto CJK, the third face writes Chinese as in mainland China."""
    return 2 if font.suffix.lower() == ".ttc" else 0


def _noisy(page: "Image", seed: int) -> "Image":
    from PIL import Image, ImageFilter

    dice = np.random.default_rng(seed)
    pixels = np.asarray(page.filter(ImageFilter.GaussianBlur(_BLUR_PIXELS)), dtype=np.float64)
    pixels = pixels * _CONTRAST + _GREY + dice.normal(0, _NOISE, pixels.shape)
    pixels[dice.random(pixels.shape) < _SPECKS] = 0
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))

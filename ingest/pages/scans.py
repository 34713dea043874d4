"""The characters of a page whose text was read in its picture, as if the file had drawn them. Pure."""

from collections.abc import Iterator

from ingest.formats.page_view import Box, Glyphs
from kb.values.scans import ScannedPage, Word

_NOWHERE: Box = (0, 0, 0, 0)


def glyphs_of(scan: ScannedPage, width: int, height: int) -> Glyphs:
    """Gives each character of a word its share of the word's box.

    Args:
        width: Of the page, in the units of `Glyphs`, as is the height.
    """
    found = [each for word in scan.words for each in _characters(word, width, height)]
    return Glyphs(width, height, "".join(char for char, _ in found), tuple(box for _, box in found), len(found))


def _characters(word: Word, width: int, height: int) -> Iterator[tuple[str, Box]]:
    step = (word.right - word.left) / len(word.text)
    for place, char in enumerate(word.text):
        left, right = word.left + step * place, word.left + step * (place + 1)
        yield char, (round(left * width), round(word.top * height), round(right * width), round(word.bottom * height))
    yield " ", _NOWHERE

import re
from dataclasses import replace

from kb.text.masking import Mask
from kb.values.documents import Block, BlockKind, Document
from kb.values.links import Link
from kb.values.personal import Personal
from kb.values.scans import ScannedPage, Word


def find(text: str) -> list[Personal]:
    """Finds numbers of seven digits, with a gap or without."""
    return [Personal("phone", *match.span()) for match in re.finditer(r"\d{3} ?\d{4}", text)]


def test_what_is_found_is_covered_and_every_place_stays() -> None:
    mask = Mask(find)
    assert mask.text("Ring 123 4567, or 🙂1234567。") == "Ring ███ ████, or 🙂███████。"
    assert mask.text("Nothing.") == "Nothing."
    assert mask.counts == {"phone": 2}


def test_of_a_document_all_that_is_shown_or_searched_is_covered() -> None:
    number, covered = "1234567", "███████"
    text = f"# About {number}\n\nRing {number}, or see [[{number}]]."
    document = Document(
        title=f"About {number}",
        media_type="text/markdown",
        text=text,
        blocks=(
            Block(0, 15, BlockKind.HEADING, (f"About {number}",)),
            Block(17, len(text), headings=(f"About {number}",)),
        ),
        tags=(number,),
        names=(f"by {number}",),
        aliases=(number,),
        links=(Link(38, 49, number, number),),
    )
    masked = Mask(find).document(document)
    assert number not in repr(masked)
    assert masked == replace(
        document,
        title=f"About {covered}",
        text=text.replace(number, covered),
        blocks=tuple(replace(block, headings=(f"About {covered}",)) for block in document.blocks),
        tags=(covered,),
        names=(f"by {covered}",),
        aliases=(covered,),
        links=(Link(38, 49, covered, covered),),
    )


def test_of_a_picture_the_words_are_covered_too() -> None:
    words = tuple(Word(text, 0, 0, 1, 1) for text in ("Ring", "123", "4567", "now"))
    scan = Mask(find).scan(ScannedPage("Ring 123 4567\n\nnow", words))
    assert (scan.text, [word.text for word in scan.words]) == ("Ring ███ ████\n\nnow", ["Ring", "███", "████", "now"])

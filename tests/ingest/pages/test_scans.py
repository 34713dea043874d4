from ingest.pages.alignment import align
from ingest.pages.places import boxes_of
from ingest.pages.scans import glyphs_of
from kb.values.scans import ScannedPage, Word

SCAN = ScannedPage(
    "The boiler\nis hot",
    (
        Word("The", 0.1, 0.1, 0.16, 0.12),
        Word("boiler", 0.18, 0.1, 0.3, 0.12),
        Word("is", 0.1, 0.15, 0.14, 0.17),
        Word("hot", 0.16, 0.15, 0.22, 0.17),
    ),
)


def test_a_stretch_of_text_has_the_boxes_of_its_words() -> None:
    glyphs = glyphs_of(SCAN, 10_000, 20_000)
    places = align(SCAN.text, glyphs.text)
    start = SCAN.text.index("boiler")
    boxes = boxes_of((place for place in places[start : start + len("boiler\nis")] if place >= 0), glyphs)
    assert boxes == [(1800, 2000, 3000, 2400), (1000, 3000, 1400, 3400)]


def test_a_page_without_words_has_no_characters() -> None:
    assert glyphs_of(ScannedPage(), 100, 100).text == ""

import math

from ingest.ocr.page import Character, PictureLine, scanned_page
from kb.values.scans import ScannedPage


def line(text: str, left: float, top: float, right: float, height: float = 20.0) -> PictureLine:
    plain = "".join(text.split())
    step = (right - left) / max(len(plain), 1)
    characters = tuple(
        Character(char, box(left + step * place, top, left + step * (place + 1), height))
        for place, char in enumerate(plain)
    )
    return PictureLine(text, box(left, top, right, height), characters)


def box(left: float, top: float, right: float, height: float) -> tuple[tuple[float, float], ...]:
    return (left, top), (right, top), (right, top + height), (left, top + height)


def turned(read: PictureLine, degrees: float) -> PictureLine:
    """As a page that lies askew shows it."""
    sine, cosine = math.sin(math.radians(degrees)), math.cos(math.radians(degrees))

    def turn(corners: tuple[tuple[float, float], ...]) -> tuple[tuple[float, float], ...]:
        return tuple((x * cosine - y * sine, x * sine + y * cosine) for x, y in corners)

    return PictureLine(
        read.text,
        turn(read.corners),
        tuple(Character(character.text, turn(character.corners)) for character in read.characters),
    )


PAGE = [
    line("Oil", 100, 100, 200),
    line("12 drums", 500, 101, 600),
    line("The boiler was repaired in November,", 100, 130, 760),
    line("and again in March.", 100, 160, 400),
    line("锅炉 236 度", 100, 300, 300),
]


def test_lines_are_put_in_order_rows_whole_and_paragraphs_apart() -> None:
    page = scanned_page(PAGE[::-1], 1000, 1000)
    assert page.text == ("Oil 12 drums\nThe boiler was repaired in November,\nand again in March.\n\n锅炉 236 度")


def test_a_page_that_lies_askew_is_read_as_if_it_did_not() -> None:
    assert scanned_page([turned(read, 3) for read in PAGE], 1000, 1000).text == scanned_page(PAGE, 1000, 1000).text


def test_words_have_their_boxes_and_han_characters_each_its_own() -> None:
    page = scanned_page(PAGE[-1:], 1000, 500)
    assert [word.text for word in page.words] == ["锅", "炉", "236", "度"]
    number = page.words[2]
    assert (number.left, number.right, number.top, number.bottom) == (0.1667, 0.2667, 0.6, 0.64)


def test_a_line_without_places_of_its_characters_is_one_word() -> None:
    page = scanned_page([PictureLine("The boiler", box(-5, 0, 1200, 20))], 1000, 500)
    assert [(word.text, word.left, word.right) for word in page.words] == [("The boiler", 0.0, 1.0)]


def test_columns_are_read_one_after_the_other() -> None:
    sides = [
        line(f"{side} line {n} says a few words about the boiler", left, 100 + 30 * n, left + 380)
        for n in range(12)
        for side, left in (("left", 50), ("right", 550))
    ]
    page = scanned_page(sides, 1000, 1000)
    assert page.text.index("left line 11") < page.text.index("right line 0")
    assert [word.text for word in page.words if word.text in ("left", "right")] == ["left"] * 12 + ["right"] * 12


def test_nothing_is_an_empty_page() -> None:
    assert scanned_page([], 100, 100) == ScannedPage()

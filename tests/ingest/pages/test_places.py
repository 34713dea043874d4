from ingest.formats.page_view import Box, Glyphs
from ingest.pages.places import boxes_of, lines_of, within


def row(text: str, left: int, top: int, width: int = 10) -> list[tuple[str, Box]]:
    """Characters side by side, each 20 high; spaces have no box."""
    return [
        (char, (0, 0, 0, 0) if char.isspace() else (left + at * width, top, left + (at + 1) * width, top + 20))
        for at, char in enumerate(text)
    ]


def glyphs(*rows: list[tuple[str, Box]], printed: int | None = None) -> Glyphs:
    drawn = [each for one in rows for each in one]
    text = "".join(char for char, _ in drawn)
    return Glyphs(1000, 500, text, tuple(box for _, box in drawn), len(text) if printed is None else printed)


def test_a_stretch_over_two_lines_has_a_box_on_each() -> None:
    page = glyphs(row("Otters sleep", 100, 100), row("\r\n", 0, 0), row("afloat", 100, 130))
    assert boxes_of(range(len(page.text)), page) == [(100, 100, 220, 120), (100, 130, 160, 150)]


def test_cells_far_apart_have_boxes_of_their_own() -> None:
    page = glyphs(row("Total", 100, 100), row("12", 400, 100))
    assert boxes_of(range(7), page) == [(100, 100, 150, 120), (400, 100, 420, 120)]


def test_text_that_runs_down_the_page_has_one_box() -> None:
    column = [(char, (300, 100 + at * 20, 320, 120 + at * 20)) for at, char in enumerate("竖排文字")]
    assert boxes_of(range(4), glyphs(column)) == [(300, 100, 320, 180)]


def test_lines_keep_their_spaces_and_leave_out_what_is_not_printed() -> None:
    first, second = row("Otters sleep", 100, 100), row("afloat", 100, 130)
    page = glyphs(first, row("\r\n", 0, 0), second, row("A note", 0, 0), printed=len(first) + 2 + len(second))
    assert [(line.text, line.box) for line in lines_of(page)] == [
        ("Otters sleep", (100, 100, 220, 120)),
        ("afloat", (100, 130, 160, 150)),
    ]


def test_boxes_are_told_as_parts_of_the_page() -> None:
    assert within([(100, 100, 600, 120)], glyphs()) == [(0.1, 0.2, 0.5, 0.04)]

from collections.abc import Sequence

from ingest.formats.pdf.page_layout import Line, PageText, Style, text_of_lines

BODY = Style("Times-Roman", 10.0)
BOLD = Style("Times-Bold", 10.0)


def line(text: str, y: float, left: float = 50, right: float = 550, style: Style | None = BODY) -> Line:
    """A line ten points high whose font begins at `y`."""
    return Line(text, left, y, right, y + 10, style)


def paragraph(*texts: str, top: float = 700, **box: float) -> list[Line]:
    return [line(text, top - 12 * n, **box) for n, text in enumerate(texts)]


def text(lines: Sequence[Line]) -> str:
    return text_of_lines(lines).text


def test_lines_of_a_paragraph_stay_together_and_a_wider_gap_parts_them() -> None:
    assert (
        text([*paragraph("one", "two", "three"), *paragraph("four", "five", top=650)])
        == "one\ntwo\nthree\n\nfour\nfive"
    )


def test_double_spaced_lines_are_no_paragraphs() -> None:
    assert text([line(word, 700 - 24 * n) for n, word in enumerate(["one", "two", "three", "four"])]).count("\n\n") == 0


def test_a_paragraph_ends_where_its_last_line_is_short() -> None:
    lines = paragraph("It is said that", "it ended here.", "Another one begins", "and goes on")
    lines[1] = line("it ended here.", 688, right=200)
    assert text(lines) == "It is said that\nit ended here.\n\nAnother one begins\nand goes on"


def test_a_paragraph_begins_where_a_line_is_indented() -> None:
    lines = paragraph("It is said that", "all of it ended here.", "Another one begins", "and goes on")
    lines[2] = line("Another one begins", 676, left=70)
    assert text(lines) == "It is said that\nall of it ended here.\n\nAnother one begins\nand goes on"


def test_a_line_that_begins_small_goes_on_with_the_paragraph() -> None:
    lines = [
        line("They bring snow, ice, etc.", 700, right=200),
        *paragraph("and a little tea", "to the station", top=688),
    ]
    assert text(lines) == "They bring snow, ice, etc.\nand a little tea\nto the station"


def test_a_heading_in_another_font_stands_alone() -> None:
    found = text_of_lines([line("Trains", 700, right=100, style=BOLD), *paragraph("They run", "at night", top=688)])
    assert found.text == "Trains\n\nThey run\nat night"
    assert [(short.text, short.style, short.is_over_table) for short in found.short_lines] == [("Trains", BOLD, False)]
    assert dict(found.styles) == {BOLD: 6, BODY: 16}


def test_a_bold_header_stays_with_the_rows_under_it() -> None:
    lines = [line("2022 2021", 700, style=BOLD), line("Net sales:", 688), line("Products 1 2", 676)]
    assert text(lines) == "2022 2021\nNet sales:\nProducts 1 2"


def test_what_stands_over_a_table_is_told() -> None:
    lines = [
        line("Sales", 740, style=BOLD),
        line("2022 2021", 700),
        line("Products 1 2", 688),
        line("Services 1 2", 676),
    ]
    assert [short.is_over_table for short in text_of_lines(lines).short_lines] == [True]


def test_the_cells_of_a_row_that_are_drawn_one_by_one_are_one_line() -> None:
    cells = [line("Phones", 700, 50, 100), line("40,665", 700, 200, 240), line("39,570", 700, 300, 340)]
    assert text([*cells, line("Tablets 7,224 8,252", 688)]) == "Phones 40,665 39,570\nTablets 7,224 8,252"


def test_the_figures_beside_a_label_of_several_lines_go_with_it() -> None:
    label = [line("Computers and", 700, 50, 130), line("other machines", 688, 50, 130)]
    assert text([*label, line("7,382 8,235", 694, 200, 300)]) == "Computers and other machines 7,382 8,235"


def test_stacked_headers_of_columns_are_one_line() -> None:
    cells = [
        line("June 25,", 700, 200, 240),
        line("2022", 692, 200, 240),
        line("June 26,", 700, 300, 340),
        line("2021", 692, 300, 340),
    ]
    assert text([*cells, line("Products 1 2", 680)]) == "June 25, 2022 June 26, 2021\nProducts 1 2"


def test_a_line_that_leads_to_a_table_is_not_joined_to_its_header() -> None:
    lines = [line("As follows (in millions):", 700, 50, 180), line("2022 2021", 702, 300, 400)]
    assert "(in millions): 2022" not in text(lines)


def test_marks_set_into_other_lines_are_left_out() -> None:
    body = paragraph("MacBook Air and iMac , and others", "sold more than in the year before")
    marks = [Line("®", 300, 704, 305, 711, BODY), Line("(1)", 500, 692, 510, 699, BODY)]
    assert text([*body, *marks]) == text(body)


def test_small_lines_of_their_own_stay() -> None:
    lines = [*paragraph("sold more than in the year before"), Line("(1)", 500, 600, 510, 607, BODY)]
    assert text(lines).endswith("(1)")


def test_a_sentence_goes_on_from_one_column_to_the_next() -> None:
    lines = [
        *paragraph("the keepers", "walk on", left=50, right=290),
        *paragraph("and this goes on", "and on", left=310, right=550),
    ]
    assert text(lines).count("\n\n") == 0


def test_an_empty_page_has_no_text() -> None:
    assert text_of_lines([]) == PageText("")

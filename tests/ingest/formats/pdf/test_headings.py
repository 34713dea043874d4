from collections.abc import Sequence

from ingest.formats.pdf.headings import guessed_outline
from ingest.formats.pdf.page_layout import PageText, ShortLine, Style

BODY = Style("Times-Roman", 10.0)
BOLD = Style("Times-Bold", 10.0)
ITALIC = Style("Times-Italic", 10.0)
LARGE = Style("Times-Roman", 16.0)


def page(*lines: tuple[str, Style], text: str = "", over_table: Sequence[str] = ()) -> PageText:
    short = tuple(ShortLine(line, style, line in over_table) for line, style in lines)
    return PageText(text, short, ((BODY, 1000), (BOLD, 50)))


def outline(*pages: PageText) -> list[tuple[int, str, int]]:
    return [(entry.depth, entry.title, entry.page) for entry in guessed_outline(pages)]


def depths(*lines: tuple[str, Style]) -> list[int]:
    return [depth for depth, _, _ in outline(page(*lines))]


def test_lines_that_are_larger_or_bold_are_headings_and_those_like_the_body_are_not() -> None:
    found = outline(page(("Trains", LARGE), ("Nothing special", BODY)), page(("Night trains", BOLD)))
    assert [(title, number) for _, title, number in found] == [("Trains", 1), ("Night trains", 2)]


def test_headings_are_ranked_by_size_then_bold_then_italic() -> None:
    large, bold, italic = depths(("Book", LARGE), ("Chapter one", BOLD), ("A detail", ITALIC))
    assert large < bold < italic


def test_parts_chapters_and_notes_are_known_by_their_beginning_whatever_their_style() -> None:
    assert depths(
        ("PART I — FINANCIAL INFORMATION", BOLD),
        ("Item 2. Controls", BODY),
        ("Note 4 – Debt", BODY),
        ("Term Debt", BOLD),
    ) == [0, 1, 2, 3]
    assert depths(("第一编 总则", BODY), ("第二章 仪器", BODY), ("一、这一年", BODY)) == [0, 1, 2]


def test_sentences_rows_list_items_and_dates_are_no_headings() -> None:
    lines = (
        "This is so.",
        "All of these are so:",
        "Total net sales 82,959 81,434",
        "• a first point",
        "(In millions)",
        "and goes on below",
        "October 30, 2022",
        "12 34 56 a",
        "one two three four five six seven eight nine ten eleven twelve thirteen",
        "这是一句话。",
    )
    assert outline(page(*((line, BOLD) for line in lines))) == []


def test_a_name_that_begins_with_one_small_letter_may_be_a_heading() -> None:
    assert [title for _, title, _ in outline(page(("iPhone", BOLD)))] == ["iPhone"]


def test_what_stands_over_a_table_belongs_to_it_unless_it_names_a_statement() -> None:
    found = outline(
        page(
            ("Number of Shares", BOLD),
            ("STATEMENTS OF CASH FLOWS (Unaudited)", BOLD),
            over_table=["Number of Shares", "STATEMENTS OF CASH FLOWS (Unaudited)"],
        )
    )
    assert [title for _, title, _ in found] == ["STATEMENTS OF CASH FLOWS (Unaudited)"]


def test_what_comes_back_on_other_pages_is_no_heading() -> None:
    assert outline(*(page(("ACME Corporation", BOLD)) for _ in range(6))) == []


def test_a_table_of_contents_has_no_headings() -> None:
    lines = [f"Chapter {n} Of something {n * 7}" for n in range(1, 5)]
    contents = page(("Part One", BOLD), *((line, BOLD) for line in lines), text="\n".join(lines))
    assert outline(contents, page(("Chapter 1 Of something", BOLD))) == [(1, "Chapter 1 Of something", 2)]


def test_without_styles_nothing_is_guessed() -> None:
    assert guessed_outline([PageText("Trains\n\nThey run.")]) == []

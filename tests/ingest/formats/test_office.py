"""Word documents, presentations, workbooks, OpenDocument texts, e-books and rich texts."""

import datetime
import io

import openpyxl
import pytest

from ingest.formats.registry import load
from kb.errors import UnreadableFile
from kb.values.documents import Block, BlockKind, Document
from tests.ingest.formats.packed import docx, epub, odt, package, paragraph, pptx, table


def found(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.kind.value, b.headings, document.text[b.start : b.end]) for b in document.blocks]


def test_a_word_document_has_headings_lists_and_tables() -> None:
    body = paragraph("Plan", "H1") + paragraph("We paint_it *white*.") + paragraph("Costs", "H2")
    body += table(("Item", "Price"), ("Paint", "1,200"))
    document = load("plan.docx", docx(body, title="The plan"))
    assert (document.title, document.has_own_title, document.date) == ("The plan", True, datetime.date(2024, 5, 1))
    assert document.names == ("Jane Doe",)
    assert found(document) == [
        ("heading", ("Plan",), "# Plan"),
        ("prose", ("Plan",), "We paint_it *white*."),
        ("heading", ("Plan", "Costs"), "## Costs"),
        ("table", ("Plan", "Costs"), "| Item | Price |\n| --- | --- |\n| Paint | 1,200 |"),
    ]


def test_slides_are_pages_with_titles_and_notes() -> None:
    document = load("talk.pptx", pptx(("Domes", "They are white.\nThey open.", ""), ("End", "Thanks.", "Ask for tea.")))
    assert (document.title, document.page_count) == ("Domes", 2)
    assert [(b.page, b.headings, document.text[b.start : b.end]) for b in document.blocks] == [
        (1, ("Domes",), "# Domes"),
        (1, ("Domes",), "They are white."),
        (1, ("Domes",), "They open."),
        (2, ("End",), "# End"),
        (2, ("End",), "Thanks."),
        (2, ("End",), "Ask for tea."),
    ]


def test_a_slide_that_is_a_picture_is_a_page_without_text() -> None:
    document = load("talk.pptx", pptx(("One", "Text.", ""), ("", "", ""), ("Three", "", "")))
    assert (document.page_count, document.unread_pages) == (3, (2,))


def test_titles_that_programs_make_up_are_not_taken() -> None:
    document = load("plan.docx", docx(paragraph("Text."), title="Microsoft Word - Document1"))
    assert (document.title, document.has_own_title) == ("plan", False)


def test_sheets_are_sections_with_tables_of_their_values() -> None:
    workbook = openpyxl.Workbook()
    sales = workbook.active
    assert sales is not None
    sales.title = "Sales"
    sales["B2"] = "Sales by region"
    for row in (["Region", "Day", "Share"], ["North | South", datetime.datetime(2024, 5, 1), 0.25], ["West", None, 3]):
        sales.append([None, *row])
    workbook.create_sheet("Empty")
    content = io.BytesIO()
    workbook.save(content)
    document = load("book.xlsx", content.getvalue())
    assert (document.title, document.has_own_title) == ("book", False)
    rows = [
        "| Region | Day | Share |",
        "| --- | --- | --- |",
        "| North ¦ South | 2024-05-01 | 0.25 |",
        "| West |  | 3 |",
    ]
    assert found(document) == [
        ("heading", ("Sales",), "# Sales"),
        ("prose", ("Sales",), "Sales by region"),
        ("table", ("Sales",), "\n".join(rows)),
        ("heading", ("Empty",), "# Empty"),
    ]


def test_an_opendocument_text_has_headings_lists_tables_and_notes() -> None:
    body = (
        '<text:h text:outline-level="1">Plan</text:h><text:p>We<text:s/>paint<text:note><text:note-citation>1'
        "</text:note-citation><text:note-body><text:p>In May.</text:p></text:note-body></text:note>.</text:p>"
        "<text:list><text:list-item><text:p>one</text:p><text:list><text:list-item><text:p>nested</text:p>"
        "</text:list-item></text:list></text:list-item></text:list>"
        "<table:table><table:table-row><table:table-cell><text:p>a</text:p></table:table-cell><table:table-cell>"
        "<text:p>b</text:p></table:table-cell></table:table-row></table:table>"
    )
    assert found(load("plan.odt", odt(body))) == [
        ("heading", ("Plan",), "# Plan"),
        ("prose", ("Plan",), "We paint (In May.) ."),
        ("prose", ("Plan",), "- one\n  - nested"),
        ("table", ("Plan",), "| a | b |\n| --- | --- |"),
    ]


def test_an_e_book_has_its_chapters_in_order() -> None:
    document = load("book.epub", epub("<h1>One</h1><p>First.</p>", "<h1>Two</h1><p>Second.</p>", title="On tea"))
    assert (document.title, document.names) == ("On tea", ("Jane Doe",))
    assert [block.headings for block in document.blocks] == [("One",), ("One",), ("Two",), ("Two",)]
    with pytest.raises(UnreadableFile, match="locked"):
        load("book.epub", epub("<p>x</p>", locks="<EncryptionMethod Algorithm='aes'/>"))


def test_rich_text_gives_its_paragraphs() -> None:
    document = load(
        "note.rtf", rb"{\rtf1\ansi{\fonttbl{\f0 Arial;}}Hello \b bold\b0 .\par Caf\'e9 \u20013?\u25991?.\par}"
    )
    assert [text for *_, text in found(document)] == ["Hello bold.", "Café 中文."]


def test_what_xml_says_of_itself_is_no_text() -> None:
    chapter = '<?xml version="1.0" encoding="utf-8"?><html><body><h1>One</h1><?page 2?><p>First.</p></body></html>'
    assert [text for *_, text in found(load("book.epub", epub(chapter)))] == ["# One", "First."]


RICH = (
    rb"{\rtf1\ansi\uc0{\info{\title On tea}}{\stylesheet{\s0 Normal;}{\s2\b\sb240 heading 2;}}"
    rb"\pard\plain\outlinelevel0 Tea\par\pard\plain\s2\outlinelevel1\b Green\par\pard\plain\s0 Two kinds:\par"
    rb"\trowd\cellx10\cellx20\pard\intbl Kind\cell Price\cell\row"
    rb"\trowd\cellx10\cellx20\pard\intbl Long\par jing\cell 12 | 14\cell{\trowd\cellx10\cellx20\row}\pard\par"
    rb"\trowd\cellx10\pard\intbl Alone\cell\row\pard\s2\par Last.\par}"
)


def test_rich_text_has_headings_and_tables() -> None:
    document = load("tea.rtf", RICH)
    assert (document.title, document.has_own_title) == ("On tea", True)
    assert found(document) == [
        ("heading", ("Tea",), "# Tea"),
        ("heading", ("Tea", "Green"), "## Green"),
        ("prose", ("Tea", "Green"), "Two kinds:"),
        ("table", ("Tea", "Green"), "| Kind | Price |\n| --- | --- |\n| Long jing | 12 ¦ 14 |"),
        ("table", ("Tea", "Green"), "| Alone |\n| --- |"),
        ("prose", ("Tea", "Green"), "Last."),
    ]


def test_rich_text_that_is_cut_off_says_so() -> None:
    with pytest.raises(UnreadableFile, match="ends in the middle"):
        load("tea.rtf", RICH[: len(RICH) // 2])


@pytest.mark.parametrize("extension", ["docx", "pptx", "xlsx", "odt", "epub"])
def test_what_cannot_be_read_says_why(extension: str) -> None:
    reasons = {
        "empty": b"",
        "encrypted": b"\xd0\xcf\x11\xe0" + b"\0" * 600,
        "broken": b"PK\x03\x04" + b"x" * 99,
    }
    reasons |= {"broken: .*no item|broken": package({"other.txt": "x"})}
    for reason, data in reasons.items():
        with pytest.raises(UnreadableFile, match=reason) as caught:
            load(f"file.{extension}", data)
        assert caught.value.hint or reason == "empty"


@pytest.mark.parametrize(
    ("extension", "data"), [("docx", docx("")), ("pptx", pptx()), ("odt", odt("")), ("epub", epub("<p/>"))]
)
def test_what_has_no_text_says_so(extension: str, data: bytes) -> None:
    with pytest.raises(UnreadableFile, match="no text"):
        load(f"file.{extension}", data)


def test_a_table_of_a_document_is_a_table_block() -> None:
    document = load("a.docx", docx(table(("a", "b"), ("1", "2"))))
    assert document.blocks == (Block(0, len(document.text), BlockKind.TABLE),)

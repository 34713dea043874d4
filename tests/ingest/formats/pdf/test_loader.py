import datetime
from collections.abc import Callable
from pathlib import Path

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from ingest.formats.pdf.sections import PAGE_SEPARATOR, OutlineEntry, page_blocks
from kb.errors import UnreadableFile
from kb.values.documents import Block, BlockKind
from tests.ingest.formats.pdf.made_pdfs import LOREM, chinese_font, hand_made, load, write

DATA = Path(__file__).parents[4].parent / "shared" / "data"


def test_a_document_has_its_pages_as_blocks(tmp_path: Path) -> None:
    document = load(write(tmp_path / "a.pdf", ["First page.\nMore of it.", "Second page."]))
    assert (document.media_type, document.page_count) == ("application/pdf", 2)
    assert [(block.page, document.text[block.start : block.end]) for block in document.blocks] == [
        (1, "First page.\nMore of it."),
        (2, "Second page."),
    ]


def test_title_and_date_come_from_the_metadata(tmp_path: Path) -> None:
    document = load(write(tmp_path / "a.pdf", [LOREM], title="Timetable  2024"))
    assert (document.title, document.has_own_title) == ("Timetable 2024", True)
    assert document.date == datetime.date(2023, 4, 5)


@pytest.mark.parametrize(
    "title",
    [
        "Microsoft Word - report.docx",
        "untitled",
        "Untitled-1.indd",
        "report.pdf",
        "0001045810-22-000166",
        "Slide 1",
        "无标题",
    ],
)
def test_titles_that_programs_make_up_are_not_taken(tmp_path: Path, title: str) -> None:
    document = load(write(tmp_path / "年度 报告.pdf", [LOREM], title=title))
    assert (document.title, document.has_own_title) == ("年度 报告", False)


def test_the_outline_gives_headings_also_within_a_page(tmp_path: Path) -> None:
    def first(pdf: FPDF) -> None:
        pdf.multi_cell(0, 6, "Preface text.")

    def second(pdf: FPDF) -> None:
        for title, level, text in (("Trains", 0, "About trains."), ("Night trains", 1, "They run at night.")):
            pdf.start_section(title, level=level)
            pdf.ln()
            pdf.multi_cell(0, 6, f"{title}\n{text}")

    def third(pdf: FPDF) -> None:
        pdf.multi_cell(0, 6, "Still about the night.")

    document = load(write(tmp_path / "a.pdf", [first, second, third]))
    assert [(b.page, b.kind.value, b.headings, document.text[b.start : b.end]) for b in document.blocks] == [
        (1, "prose", (), "Preface text."),
        (2, "heading", ("Trains",), "Trains"),
        (2, "prose", ("Trains",), "About trains."),
        (2, "heading", ("Trains", "Night trains"), "Night trains"),
        (2, "prose", ("Trains", "Night trains"), "They run at night."),
        (3, "prose", ("Trains", "Night trains"), "Still about the night."),
    ]


LEFT = [f"Left line {n} tells of the snow on the saddle" for n in range(30)]
RIGHT = [f"Right line {n} tells of the tea from the terraces" for n in range(30)]


@pytest.mark.parametrize("drawn", ["line by line", "column by column"])
def test_two_columns_are_read_one_after_the_other(tmp_path: Path, drawn: str) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.text(60, 20, "A title over the whole width of the page that crosses both of the columns")
        left = [(15, 40 + 5 * n, text) for n, text in enumerate(LEFT)]
        right = [(112, 40 + 5 * n, text) for n, text in enumerate(RIGHT)]
        places = [place for pair in zip(left, right, strict=True) for place in pair]
        for x, y, text in places if drawn == "line by line" else [*left, *right]:
            pdf.text(x, y, text)
        pdf.text(105, 280, "17")

    document = load(write(tmp_path / "a.pdf", [draw]))
    assert [line for line in document.text.split("\n") if line][1:-1] == [*LEFT, *RIGHT]
    assert document.text.startswith("A title over")
    assert document.text.endswith("17")


def test_a_row_of_a_table_stays_on_one_line_and_the_table_is_a_block(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        pdf.multi_cell(0, 6, "Sales in millions were as follows:", new_x="LMARGIN", new_y="NEXT")
        with pdf.table() as table:
            for cells in (
                ("Category", "2022", "2021", "Change"),
                ("Phones", "40,665", "39,570", "3%"),
                ("Computers and other machines with a long name that does not fit", "7,382", "8,235", "(10)%"),
                ("Tablets", "7,224", "7,368", "(2)%"),
            ):
                table.row(cells)
        pdf.multi_cell(0, 6, "Afterwards the text goes on.")

    document = load(write(tmp_path / "a.pdf", [draw]))
    (table,) = (document.text[b.start : b.end] for b in document.blocks if b.kind is BlockKind.TABLE)
    assert table.split("\n")[:2] == ["Category | 2022 | 2021 | Change", "Phones 40,665 39,570 3%"]
    assert "not fit 7,382 8,235 (10)%" in table
    assert table.endswith("Tablets 7,224 7,368 (2)%")


def test_text_that_is_turned_keeps_its_lines(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        for n in range(5):
            with pdf.rotation(90, 60 + 8 * n, 200):
                pdf.text(60 + 8 * n, 200, f"Line {n} of a table that is turned")

    document = load(write(tmp_path / "a.pdf", [draw]))
    assert document.text.split("\n") == [f"Line {n} of a table that is turned" for n in range(5)]


def test_powers_of_ten_are_no_other_numbers(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        x = 20.0
        for text, size, raised in (
            ("It counts 10", 12, 0),
            ("6", 7, 2),
            (" photons and 106 stars in 1012 nights.", 12, 0),
        ):
            pdf.set_font_size(size)
            pdf.text(x, 20 - raised, text)
            x += pdf.get_string_width(text)

    document = load(write(tmp_path / "a.pdf", [draw, LOREM]))
    assert document.text.startswith("It counts 10^6 photons and 106 stars in 1012 nights.")


def test_paragraphs_are_blocks(tmp_path: Path) -> None:
    document = load(write(tmp_path / "a.pdf", [f"{LOREM} {LOREM} {LOREM}\n\n{LOREM} {LOREM}\n\n{LOREM}"]))
    assert [document.text[b.start : b.end].count(".") for b in document.blocks] == [3, 2, 1]


def test_without_an_outline_headings_are_known_by_their_looks(tmp_path: Path) -> None:
    def draw(pdf: FPDF) -> None:
        for title in ("Trains", "Night trains"):
            pdf.set_font("Helvetica", "B", size=14)
            pdf.multi_cell(0, 10, title, new_x="LMARGIN", new_y="NEXT")
            pdf.set_font("Helvetica", size=11)
            pdf.multi_cell(0, 6, f"{LOREM} {LOREM} {LOREM}", new_x="LMARGIN", new_y="NEXT")

    document = load(write(tmp_path / "a.pdf", [draw]))
    assert [(b.kind.value, b.headings) for b in document.blocks] == [
        ("heading", ("Trains",)),
        ("prose", ("Trains",)),
        ("heading", ("Night trains",)),
        ("prose", ("Night trains",)),
    ]


def test_running_heads_and_page_numbers_are_not_part_of_the_text(tmp_path: Path) -> None:
    pages = [f"ACME Annual Report\nAbout the {word}.\nPage {n} of 5" for n, word in enumerate("abcde", start=1)]
    document = load(write(tmp_path / "a.pdf", pages))
    assert document.text.count("ACME") == 1
    assert "Page" not in document.text


def test_a_file_with_an_empty_password_is_read(tmp_path: Path) -> None:
    assert LOREM in load(encrypted(tmp_path, user_password="")).text


def test_a_file_with_a_password_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="encrypted") as caught:
        load(encrypted(tmp_path, user_password="secret"))
    assert "password" in caught.value.hint


def encrypted(folder: Path, user_password: str) -> Path:
    writer = PdfWriter(clone_from=PdfReader(write(folder / "plain.pdf", [LOREM])))
    writer.encrypt(user_password, "owner", algorithm="RC4-128")
    path = folder / "encrypted.pdf"
    writer.write(path)
    return path


def test_a_pdf_without_text_says_that_it_is_probably_scanned(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="no text layer") as caught:
        load(write(tmp_path / "scan.pdf", [lambda pdf: pdf.rect(10, 10, 50, 50)]))
    assert "OCR" in caught.value.hint


@pytest.mark.parametrize("pages", [[str(n) for n in range(1, 9)], [lambda pdf: None]], ids=["numbers", "blank"])
def test_what_shows_no_text_is_not_said_to_be_scanned(
    tmp_path: Path, pages: list[Callable[[FPDF], None] | str]
) -> None:
    with pytest.raises(UnreadableFile, match="its pages show none") as caught:
        load(write(tmp_path / "blank.pdf", pages))
    assert "OCR" not in caught.value.hint


def test_broken_files_say_so(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.pdf", [LOREM]).read_bytes()
    for content, reason in ((b"", "empty"), (b"%PDF-1.7\n" + b"x" * 99, "broken"), (whole[:300], "broken")):
        (tmp_path / "b.pdf").write_bytes(content)
        with pytest.raises(UnreadableFile, match=reason):
            load(tmp_path / "b.pdf")


def test_a_file_with_a_wrong_table_of_objects_is_read_all_the_same(tmp_path: Path) -> None:
    whole = write(tmp_path / "whole.pdf", [LOREM]).read_bytes()
    (tmp_path / "wrong.pdf").write_bytes(b"junk\n" * 40 + whole)
    assert LOREM in load(tmp_path / "wrong.pdf").text


def test_chinese_that_one_reader_garbles_is_read_by_the_other(tmp_path: Path) -> None:
    glyphs = b"".join(number.to_bytes(2, "big") for number in range(1000, 1040))  # Adobe-GB1 has Han there
    content = b"BT /F 12 Tf 50 700 Td <%s> Tj ET" % glyphs.hex().encode()
    path = hand_made(tmp_path / "a.pdf", content, chinese_font("Identity-H"))
    assert not han_chars(PdfReader(path).pages[0].extract_text())
    assert han_chars(load(path).text) == 40


def han_chars(text: str) -> int:
    return sum("\u4e00" <= char <= "\u9fff" for char in text)


def test_text_in_glyph_names_means_nothing(tmp_path: Path) -> None:
    names = " ".join(f"/g{n}" for n in range(1, 60))
    font = f"<</Type/Font/Subtype/Type1/BaseFont/X/Encoding<</Differences[1 {names}]>>>>"
    content = b"BT /F 12 Tf 50 700 Td <%s> Tj ET" % bytes(range(1, 60)).hex().encode()
    with pytest.raises(UnreadableFile):
        load(hand_made(tmp_path / "a.pdf", content, font))


def test_a_long_document_is_read_too(tmp_path: Path) -> None:
    document = load(write(tmp_path / "book.pdf", [f"Page about item {n * 7} and {LOREM}" for n in range(120)]))
    assert document.page_count == 120
    assert {block.page for block in document.blocks} == set(range(1, 121))


def test_a_title_is_found_whatever_the_line_breaks_dashes_and_numbers(tmp_path: Path) -> None:
    page = "see Net sales below\n2.1. Net\nsales – by re-\ngion\nEurope grew.\n第三章  总 则\n内容。"
    outline = [OutlineEntry(0, "Net Sales - by Region", 1), OutlineEntry(0, "第三章 总则", 1)]
    blocks = list(page_blocks([page], outline))
    assert [(b.kind.value, b.headings[-1:], page[b.start : b.end]) for b in blocks] == [
        ("prose", (), "see Net sales below"),
        ("heading", ("Net Sales - by Region",), "2.1. Net\nsales – by re-\ngion"),
        ("prose", ("Net Sales - by Region",), "Europe grew."),
        ("heading", ("第三章 总则",), "第三章  总 则"),
        ("prose", ("第三章 总则",), "内容。"),
    ]


def test_a_section_whose_title_is_not_on_its_page_begins_at_the_top() -> None:
    pages = ["one", "two"]
    blocks = list(
        page_blocks(pages, [OutlineEntry(0, "Hidden", 2), OutlineEntry(0, "Gone", 9), OutlineEntry(1, "", 1)])
    )
    assert blocks == [
        Block(0, 3, BlockKind.PROSE, (), 1),
        Block(3 + len(PAGE_SEPARATOR), 8, BlockKind.PROSE, ("Hidden",), 2),
    ]


@pytest.mark.skipif(not DATA.is_dir(), reason="the collection of odd files is not here")
@pytest.mark.parametrize("name", ["XiaoBiaoSong.pdf", "issue16538.pdf", "issue3521.pdf"])
def test_real_files_in_old_encodings_give_han_text(name: str) -> None:
    text = load(DATA / "nasty-pdfs" / name).text
    assert han_chars(text) > len(text) / 4

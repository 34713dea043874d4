"""Pages that are not one column of level text: each was read wrong once, and is read in order, once, and whole."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from fpdf import FPDF
from pypdf import PdfReader, PdfWriter

from tests.ingest.formats.pdf.made_pdfs import LOREM, chinese_font, hand_made, load, of_objects, write

LATIN = "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>"
TEA = ["春天的时候我们在山上种下了三百棵茶树", "茶农说第一年只能浇水不能采摘", "到了第三年秋天茶树已经有一人高了"]
SNOW = "snow falls on the saddle while tea is made in the valley and people wait there for the night train".split()  # noqa: SIM905


def lines(count: int, words: int, name: str) -> list[str]:
    """Lines of prose that are about equally long, each of them another one."""
    return [f"{name}{n} " + " ".join((SNOW[n % 7 :] + SNOW)[:words]) for n in range(count)]


def flat(text: str) -> list[str]:
    return [line for line in text.split("\n") if line]


def utf16(text: str) -> bytes:
    return text.encode("utf-16-be").hex().encode()


@pytest.mark.parametrize("drawn", ["column by column", "glyph by glyph"])
def test_chinese_from_top_to_bottom_is_read_from_the_right(tmp_path: Path, drawn: str) -> None:
    if drawn == "column by column":
        pieces = [(500 - 24 * n, 700, column) for n, column in enumerate(TEA)]
    else:
        pieces = [(500 - 24 * n, 700 - 15 * k, char) for n, column in enumerate(TEA) for k, char in enumerate(column)]
    content = b"BT /F 14 Tf %s ET" % b" ".join(b"1 0 0 1 %d %d Tm <%s> Tj" % (x, y, utf16(c)) for x, y, c in pieces)
    font = chinese_font("UniGB-UCS2-V" if drawn == "column by column" else "UniGB-UCS2-H")
    assert load(hand_made(tmp_path / "a.pdf", content, font)).text.split("\n") == TEA


def test_a_level_title_stands_over_columns_of_chinese(tmp_path: Path) -> None:
    columns = [(500 - 24 * n, 700 - 15 * k, char) for n, column in enumerate(TEA) for k, char in enumerate(column)]
    drawn = b" ".join(b"1 0 0 1 %d %d Tm <%s> Tj" % (x, y, utf16(char)) for x, y, char in columns)
    content = b"BT /F 14 Tf %s /F 18 Tf 1 0 0 1 200 760 Tm <%s> Tj ET" % (drawn, utf16("山上的茶园"))
    text = load(hand_made(tmp_path / "a.pdf", content, chinese_font("UniGB-UCS2-H"))).text
    assert flat(text) == ["山上的茶园", *TEA]


def test_a_power_that_is_drawn_after_its_line_is_part_of_it(tmp_path: Path) -> None:
    texts = [
        ("The sample counts 10", "6", " photons in a second, and many more in the next one."),
        ("A second line says that 2 x 10", "-9", " of them are lost on their way to the eye."),
        ("The room has 25 m", "2", " and a note that is told at the foot of the page."),
        ("It was built long ago", "1", " by the people of the valley."),
    ]

    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(12)
        for n, (before, _, after) in enumerate(texts):
            pdf.text(20, 20 + 6 * n, before + after)
        places = [20 + pdf.get_string_width(before) for before, _, _ in texts]
        pdf.set_font_size(7)
        for n, ((_, power, _), x) in enumerate(zip(texts, places, strict=True)):
            pdf.text(x, 18 + 6 * n, power)

    text = load(write(tmp_path / "a.pdf", [draw])).text
    assert flat(text) == [
        texts[0][0] + "^6" + texts[0][2],
        texts[1][0] + "^-9" + texts[1][2],
        texts[2][0] + "2" + texts[2][2],
        texts[3][0] + texts[3][2],
    ]


def columns(pdf: FPDF, left: Sequence[str], right: Sequence[str], at: float, *, in_turn: bool) -> None:
    places = [[(x, 30 + 5 * n, text) for n, text in enumerate(texts)] for x, texts in ((15.0, left), (at, right))]
    drawn = [place for pair in zip(*places, strict=True) for place in pair] if in_turn else [*places[0], *places[1]]
    for x, y, text in drawn:
        pdf.text(x, y, text)


@pytest.mark.parametrize("in_turn", [True, False])
@pytest.mark.parametrize(("wide", "narrow"), [(16, 5), (5, 16)])
def test_columns_of_unequal_width_are_read_one_after_the_other(
    tmp_path: Path, wide: int, narrow: int, in_turn: bool
) -> None:
    left, right = lines(40, wide, "Left"), lines(40, narrow, "Right")

    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(9)
        at = 25 + max(map(pdf.get_string_width, left))
        columns(pdf, left, right, at, in_turn=in_turn)

    assert flat(load(write(tmp_path / "a.pdf", [draw])).text) == [*left, *right]


@pytest.mark.parametrize("in_turn", [True, False])
def test_a_sentence_goes_on_in_the_next_column_before_the_footnotes(tmp_path: Path, in_turn: bool) -> None:
    left, right = [*lines(39, 10, "Left"), "and at its end a sentence that is not"], lines(40, 10, "Right")
    right[0] = "over yet is read on."
    notes = ["1 The first note stands under the column.", "2 The second one, too.", "3 The third is in the other one."]

    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(10)
        columns(pdf, left, right[:40], 112, in_turn=in_turn)
        pdf.set_font_size(8)
        for n, note in enumerate(notes):
            pdf.text(15 if n < 2 else 112, 240 + 4 * (n % 2), note)

    def draw_notes_first(pdf: FPDF) -> None:
        pdf.set_font_size(10)
        columns(pdf, left, [""] * 40, 112, in_turn=False)
        pdf.set_font_size(8)
        for n, note in enumerate(notes[:2]):
            pdf.text(15, 240 + 4 * n, note)
        pdf.set_font_size(10)
        columns(pdf, [""] * 40, right, 112, in_turn=False)
        pdf.set_font_size(8)
        pdf.text(112, 240, notes[2])

    text = load(write(tmp_path / "a.pdf", [draw if in_turn else draw_notes_first])).text
    assert flat(text) == [*left, *right, *notes]
    assert "a sentence that is not\nover yet is read on." in text


def test_ligatures_are_letters(tmp_path: Path) -> None:
    names = "<</BaseEncoding/WinAnsiEncoding/Differences[1/fi/fl/ff/ffi/ffl]>>"
    font = LATIN.replace("/WinAnsiEncoding", names)
    content = b"BT /F 12 Tf 50 700 Td (The o\x04ce \x01nds the \x02ow di\x03erent, and was ba\x05ed) Tj ET"
    assert (
        load(hand_made(tmp_path / "a.pdf", content, font)).text
        == "The office finds the flow different, and was baffled"
    )


def test_radicals_are_read_as_the_characters_that_they_look_like(tmp_path: Path) -> None:
    codes = b"".join(b"<%02x> <%s> " % (n, utf16(char)) for n, char in enumerate("⼀⻚⻓度⻋⻢", start=65))
    meaning = b"1 begincodespacerange <00> <ff> endcodespacerange 6 beginbfchar %s endbfchar" % codes
    path = of_objects(
        tmp_path / "a.pdf",
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 5 0 R>>>>>>",
        b"<</Length 40>>stream\nBT /F 12 Tf 50 700 Td (ABCDEF) Tj ET     \nendstream",
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/ToUnicode 6 0 R>>",
        b"<</Length %d>>stream\n%s\nendstream" % (len(meaning), meaning),
    )
    assert load(path).text == "一页长度车马"


def test_words_that_are_parted_by_soft_hyphens_are_whole(tmp_path: Path) -> None:
    written = [b"The gentle snow on the moun\xad", b"tain path made the tra\xad", b"vellers wait for the train."]
    content = b"BT /F 12 Tf 14 TL 50 700 Td %s ET" % b" ".join(b"(%s) Tj T*" % line for line in written)
    text = load(hand_made(tmp_path / "a.pdf", content, LATIN)).text
    assert text == "The gentle snow on the mountain path made the travellers wait for the train."


@pytest.mark.parametrize("degrees", [0, 90, 180, 270])
def test_a_page_that_lies_turned_in_the_file_is_read_as_it_is_shown(tmp_path: Path, degrees: int) -> None:
    left, right = lines(30, 10, "Left"), lines(30, 10, "Right")

    def draw(pdf: FPDF) -> None:
        pdf.set_font_size(10)
        columns(pdf, left, right, 112, in_turn=True)

    turned = PdfWriter(clone_from=PdfReader(write(tmp_path / "level.pdf", [draw])))
    turned.pages[0].rotate(degrees)
    turned.pages[0].transfer_rotation_to_content()
    turned.pages[0].rotate(-degrees)
    turned.write(tmp_path / "turned.pdf")
    assert PdfReader(tmp_path / "turned.pdf").pages[0].rotation == -degrees
    assert flat(load(tmp_path / "turned.pdf").text) == [*left, *right]


SCAN = b"q 500 0 0 700 50 50 cm BI /W 1 /H 1 /CS /G /BPC 8 ID \xff EI Q "


def written(texts: Sequence[str], size: float, mode: int, left: float) -> bytes:
    shown = b" ".join(b"(%s) Tj T*" % text.encode() for text in texts)
    return b"BT %d Tr /F %g Tf 14 TL %g 700 Td %s ET " % (mode, size, left, shown)


def test_the_invisible_text_of_a_scan_is_its_text(tmp_path: Path) -> None:
    content = SCAN + written(["Invisible text lies over a scan", "and goes on in a second line."], 12, 3, 50)
    document = load(hand_made(tmp_path / "a.pdf", content, LATIN))
    assert flat(document.text) == ["Invisible text lies over a scan", "and goes on in a second line."]
    assert document.unread_pages == ()


def test_invisible_text_under_the_same_text_is_left_out(tmp_path: Path) -> None:
    shown = [f"{LOREM} {n}" for n in range(9)]
    unseen = [text.replace("stat", "slat") for text in shown[:5]]
    content = written(shown, 12, 0, 50) + written(unseen, 11.5, 3, 52)
    assert flat(load(hand_made(tmp_path / "a.pdf", content, LATIN)).text) == shown

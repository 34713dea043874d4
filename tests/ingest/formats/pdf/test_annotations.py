from pathlib import Path

import pytest
from fpdf import FPDF
from pypdf import PdfReader

from ingest.formats.pdf.pypdf_reader import PypdfReader
from kb.errors import UnreadableFile
from tests.ingest.formats.pdf.made_pdfs import LOREM, load, of_objects, write


def form(path: Path, *fields: tuple[bytes, bytes], content: bytes) -> Path:
    """Writes a PDF of one page with a form.

    Args:
        fields: Where each is, and what its dictionary holds; `/AP<</N 5 0 R>>` draws "Drawn".
        content: Of the page.
    """
    numbers = b" ".join(b"%d 0 R" % number for number in range(7, 7 + len(fields)))
    drawn = b"/Tx BMC q BT /F 12 Tf 2 5 Td (Drawn) Tj ET Q EMC"
    return of_objects(
        path,
        b"<</Type/Catalog/Pages 2 0 R/AcroForm<</Fields[%s]/DA(/F 12 Tf 0 g)>>>>" % numbers,
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F 6 0 R>>>>/Annots[%s]>>"
        % numbers,
        b"<</Length %d>>stream\n%s\nendstream" % (len(content), content),
        b"<</Type/XObject/Subtype/Form/BBox[0 0 90 20]/Resources<</Font<</F 6 0 R>>>>/Length %d>>stream\n%s\nendstream"
        % (len(drawn), drawn),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        *(b"<</Type/Annot/Subtype/Widget/P 3 0 R/F 4/Rect[%s]%s>>" % field for field in fields),
    )


LABELS = (
    b"BT /F 12 Tf 50 700 Td (Name:) Tj 0 -40 Td (Date of birth) Tj 0 -40 Td (Smoker) Tj 100 0 Td (Non-smoker) Tj"
    b" -100 -300 Td (The form ends here, after all of its labels.) Tj ET"
)


def test_values_of_a_form_stand_beside_their_labels(tmp_path: Path) -> None:
    document = load(
        form(
            tmp_path / "form.pdf",
            (b"150 655 300 675", b"/FT/Tx/T(birth)/V(1980-04-05)"),
            (b"150 695 300 715", b"/FT/Tx/T(name)/V(Jane Doe)/AP<</N 5 0 R>>"),
            (b"32 617 45 630", b"/FT/Btn/T(a)/V/Yes/AS/Yes/AP<</N<</Yes 5 0 R/Off 5 0 R>>>>"),
            (b"132 617 145 630", b"/FT/Btn/T(b)/V/Off/AS/Off/AP<</N<</Yes 5 0 R/Off 5 0 R>>>>"),
            (b"400 450 500 470", b"/FT/Ch/Ff 131072/T(x1)/TU(Country)/Opt[(Norway)(Kenya)]/V(Kenya)"),
            (b"150 500 300 520", b"/FT/Tx/Ff 8192/T(password)/V(secret)"),
            (b"150 540 300 560", b"/FT/Tx/T(empty)"),
            content=LABELS,
        )
    )
    lines = [line for line in document.text.split("\n") if line]
    assert lines[:2] == ["Name: Jane Doe", "Date of birth 1980-04-05"]
    assert lines[2].startswith("☑ Smoker Non-smoker")
    assert lines[3:] == ["Country: Kenya", "The form ends here, after all of its labels."]


def test_values_of_a_form_without_any_text_are_found_by_their_names(tmp_path: Path) -> None:
    name = (b"150 695 300 715", b"/FT/Tx/T(Name of the applicant)/V(Jane Doe)")
    assert load(form(tmp_path / "form.pdf", name, content=b"")).text == "Name of the applicant: Jane Doe"


def annotated(pdf: FPDF) -> None:
    pdf.text(20, 20, LOREM)
    with pdf.highlight("Is that still so?", title="Jane Doe"):
        pdf.text(20, 40, "Night trains run on Fridays.")
    pdf.text_annotation(100, 60, "Ask the station.\nThey know.", title="Ann")
    pdf.text_annotation(100, 80, "周五没有夜车", title="张三")
    pdf.text_annotation(100, 90, "")


def test_notes_are_found_with_who_wrote_them_and_on_what(tmp_path: Path) -> None:
    document = load(write(tmp_path / "a.pdf", [annotated, LOREM]))
    notes = [document.text[block.start : block.end] for block in document.blocks if block.page == 1][-3:]
    assert notes[0] == "Note by Jane Doe on “Night trains run on Fridays.”: Is that still so?"
    assert notes[1:] == ["Note by Ann: Ask the station. They know.", "张三的批注：周五没有夜车"]


def test_pypdf_reads_notes_too(tmp_path: Path) -> None:
    reader = PypdfReader(write(tmp_path / "a.pdf", [annotated]).read_bytes())
    assert "Note by Jane Doe: Is that still so?" in reader.page_text(1).notes
    assert len(reader.page_text(1).notes) == 3
    reader.close()


def test_a_scan_with_a_note_is_still_a_page_without_text(tmp_path: Path) -> None:
    def page(pdf: FPDF) -> None:
        pdf.rect(20, 20, 100, 100)
        pdf.text_annotation(100, 60, "Signed at last", title="Ann")

    document = load(write(tmp_path / "a.pdf", [page]))
    assert (document.text, document.unread_pages) == ("Note by Ann: Signed at last", (1,))


def test_files_that_lie_in_a_pdf_are_listed(tmp_path: Path) -> None:
    def page(pdf: FPDF) -> None:
        pdf.text(20, 20, LOREM)
        pdf.embed_file(basename="figures.xlsx", bytes=b"x", desc="figures")
        pdf.embed_file(basename="notes.docx", bytes=b"x", desc="notes")

    document = load(write(tmp_path / "a.pdf", [page]))
    assert document.text.endswith("\n\nEmbedded files, not read: figures.xlsx, notes.docx")
    with pytest.raises(UnreadableFile, match="no text"):
        load(write(tmp_path / "b.pdf", [lambda pdf: pdf.embed_file(basename="a.bin", bytes=b"x")]))


def test_pages_know_what_is_printed_on_them(tmp_path: Path) -> None:
    def roman(pdf: FPDF) -> None:
        pdf.set_page_label(label_style="r")
        pdf.text(20, 20, "The preface.")

    def arabic(pdf: FPDF) -> None:
        pdf.set_page_label(label_style="D", label_start=1)
        pdf.text(20, 20, "The first chapter.")

    path = write(tmp_path / "a.pdf", [roman, "Still the preface.", arabic])
    assert PdfReader(path).page_labels == ["i", "ii", "1"]
    assert load(path).page_labels == ("i", "ii", "1")
    assert load(write(tmp_path / "b.pdf", ["One.", "Two."])).page_labels == ()

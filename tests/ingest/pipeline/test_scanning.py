"""Pages without text are read in their pictures, behind all else, once, and whatever becomes of the process."""

from pathlib import Path

import pytest

from kb.values.scans import ScannedPage
from tests.harness import Watched, eventually, quick_settings, watching
from tests.ingest.pictures import drawn, scanned_pdf

OCR_SECONDS = 90.0
"""The child that reads pictures gets only the time that nothing else wants."""

pytestmark = pytest.mark.timeout(200)

LETTER = "The boiler was repaired\nin November by Frieda"
REPORT = scanned_pdf("The first page is about trains.", f"scan:{LETTER}", "The last page is about ships.")


def test_what_is_written_answers_first_and_the_picture_among_it_later(watched: Watched) -> None:
    path = watched.write("report.pdf", REPORT)
    watched.sync()
    first = watched.documents["report.pdf"]
    assert watched.finds("trains") == watched.finds("ships") == ["report.pdf"]
    assert (first.unread_pages, first.ocr_pages) in {((2,), ()), ((), (2,))}
    assert eventually(lambda: watched.documents["report.pdf"].ocr_pages == (2,), OCR_SECONDS)
    assert watched.documents["report.pdf"].unread_pages == ()
    assert watched.finds("boiler repaired") == ["report.pdf"]
    passage = watched.knowledge_base.search("Who repaired the boiler in November?", 1)[0]
    assert (passage.by_ocr, passage.page) == (True, 2)
    page = watched.knowledge_base.scanned_page(first.id, 2)
    assert page
    boiler = next(word for word in page.words if word.text == "boiler")
    assert 0 < boiler.left < boiler.right < 0.5
    assert 0 < boiler.top < boiler.bottom < 0.5
    path.unlink()
    watched.sync()
    assert watched.knowledge_base.scans(first.file.sha256) == {}


def test_a_photograph_is_found_by_what_stands_in_it_and_a_copy_is_not_read_again(watched: Watched) -> None:
    watched.write("note.png", drawn(LETTER))
    watched.sync()
    assert eventually(lambda: watched.finds("boiler repaired") == ["note.png"], OCR_SECONDS)
    watched.write("copy.png", drawn(LETTER))
    watched.sync()
    assert watched.documents["copy.png"].ocr_pages == (1,)
    assert watched.pipeline.status.pages_to_scan == 0


def test_a_picture_in_which_nothing_stands_is_no_failure_but_such_a_pdf_is(watched: Watched) -> None:
    watched.write("sky.png", drawn(""))
    watched.write("empty.pdf", scanned_pdf("scan: "))
    watched.sync()
    assert eventually(lambda: "empty.pdf" in watched.failures, OCR_SECONDS)
    assert watched.reasons == {"empty.pdf": "no text layer, and no text was found in the pictures of its pages"}
    assert eventually(lambda: not watched.documents["sky.png"].unread_pages)


def test_without_ocr_pictures_are_failures_with_a_hint(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    with watching(quick_settings(tmp_path / "home", ocr="off"), folder) as watched:
        watched.write("note.png", drawn(LETTER))
        watched.write("report.pdf", REPORT)
        watched.sync()
        assert watched.reasons == {"note.png": "a picture: what stands in it is read by OCR alone"}
        assert watched.documents["report.pdf"].unread_pages == (2,)
        assert watched.pipeline.status.pages_to_scan == 0


def test_what_was_read_before_the_process_ended_is_not_read_again(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    settings = quick_settings(tmp_path / "home", ocr="off")
    with watching(settings, folder) as watched:
        watched.write("report.pdf", REPORT)
        watched.sync()
        content = watched.documents["report.pdf"].file.sha256
        watched.knowledge_base.add_scan(content, 2, ScannedPage("Noted before the end."))
    with watching(settings.model_copy(update={"ocr": "on"}), folder) as watched:
        assert eventually(lambda: watched.finds("noted before") == ["report.pdf"])

"""Pages as they are seen, over the running service."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.harness import Served, quick_settings, serving
from tests.ingest.formats.pdf.made_pdfs import LOREM, write
from tests.server.http.routes_harness import DOME, document_id, error

QUOTE = "Otters sleep while they float."


@pytest.fixture
def pages(service: Served, tmp_path: Path) -> Iterator[str]:
    """The address of the pages of a document of two."""
    service.write("otters.pdf", write(tmp_path / "otters.pdf", [LOREM, f"Seals dive.\n{QUOTE}"]).read_bytes())
    service.sync()
    yield f"/documents/{document_id(service, 'otters.pdf')}/pages"


def test_pages_are_listed_with_size_and_text(service: Served, pages: str) -> None:
    listed = service.client.get(pages).json()
    assert not listed["changed"]
    assert [page["number"] for page in listed["pages"]] == [1, 2]
    first, second = listed["pages"]
    assert (first["label"], first["start"], first["end"]) == ("", 0, len(LOREM))
    assert second["start"] > first["end"]
    assert first["width"] == pytest.approx(595.28, abs=0.1)


def test_a_page_is_drawn_as_wide_as_is_asked_and_not_again_if_it_is_known(service: Served, pages: str) -> None:
    drawn = service.client.get(f"{pages}/2?width=500")
    assert drawn.headers["content-type"] == "image/jpeg"
    assert Image.open(io.BytesIO(drawn.content)).width == 500
    again = service.client.get(f"{pages}/2?width=500", headers={"if-none-match": drawn.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    for width in (0, 39, 3001, "x"):
        assert error(service.client.get(f"{pages}/2?width={width}")) == (422, "invalid")


def test_a_quote_is_found_on_its_page_and_on_no_other(service: Served, pages: str) -> None:
    text = service.client.get(pages.removesuffix("/pages")).json()["text"]
    span = f"start={text.index(QUOTE)}&end={text.index(QUOTE) + len(QUOTE)}"
    found = service.client.get(f"{pages}/2/boxes?{span}").json()
    ((left, top, width, height),) = found["boxes"]
    assert 0 < left < left + width < 1
    assert 0 < top < top + height < 0.2
    lines = service.client.get(f"{pages}/2/text").json()["lines"]
    assert [line["text"] for line in lines] == ["Seals dive.", QUOTE]
    assert lines[1]["box"] == pytest.approx([left, top, width, height], abs=0.002)
    assert service.client.get(f"{pages}/1/boxes?{span}").json()["boxes"] == []


def test_a_file_that_has_changed_is_said_to_have_changed(tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
    path = write(folder / "otters.pdf", [QUOTE])
    with serving(quick_settings(tmp_path / "home", settle_seconds=30), folder) as service:
        os.utime(path, (0, 0))  # it has come to rest long ago
        service.sync()
        url = f"/documents/{document_id(service, 'otters.pdf')}/pages"
        assert not service.client.get(url).json()["changed"]
        path.write_bytes(path.read_bytes() + b"\n")
        assert service.client.get(url).json()["changed"]
        found = service.client.get(f"{url}/1/boxes?start=0&end=30").json()
        assert found["changed"]
        assert found["boxes"]


def test_what_has_no_such_page_is_not_found(service: Served, pages: str) -> None:
    note = f"/documents/{document_id(service, 'dome.md')}/pages"
    for url in (f"{pages}/3", f"{pages}/0/text", f"{note}", f"{note}/1", "/documents/none/pages/1"):
        assert error(service.client.get(url)) == (404, "not_found")


def test_a_document_is_searched_whatever_its_line_ends(service: Served, pages: str) -> None:
    url = pages.removesuffix("pages") + "search"
    found = service.client.get(url, params={"q": "dive. OTTERS"}).json()
    assert found["total"] == 1
    (match,) = found["matches"]
    assert (match["page"], match["text"], match["before"][-6:], match["after"][:6]) == (
        2,
        "dive.\n\nOtters",
        "Seals ",
        " sleep",
    )
    assert service.client.get(url, params={"q": "(.*"}).json()["matches"] == []


def test_markdown_is_rendered_with_the_quote_marked(service: Served, pages: str) -> None:
    url = f"/documents/{document_id(service, 'dome.md')}/markdown"
    text = "The second dome was repaired in March."
    start = DOME.index(text)
    rendered = service.client.get(f"{url}?start={start}&end={start + len(text)}").json()
    assert rendered["html"] == f"<h1>Dome</h1>\n<p><mark>{text}</mark></p>\n"
    assert (rendered["start"], rendered["end"]) == (0, rendered["text_chars"])
    assert error(service.client.get(pages.removesuffix("pages") + "markdown")) == (404, "not_found")


def test_documents_say_as_what_they_are_shown(service: Served, pages: str) -> None:
    service.write("code.py", "print('otters')\n")
    service.sync()
    shown = {each["source"]: each["view"] for each in service.client.get("/documents").json()["documents"]}
    assert (shown["otters.pdf"], shown["dome.md"], shown["code.py"]) == ("pages", "markdown", "text")

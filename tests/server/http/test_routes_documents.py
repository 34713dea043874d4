import base64
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fpdf import FPDF

from tests.harness import Served, eventually, quick_settings, serving
from tests.ingest.formats.pdf.made_pdfs import write
from tests.server.http.routes_harness import DOME, document_id, error, failure_of, upload


def test_text_is_read_by_span_at_most_so_much_at_a_time(service: Served) -> None:
    service.write("long.txt", "0123456789" * 3000)
    service.sync()
    path = f"/documents/{document_id(service, 'long.txt')}"

    def read(**span: int) -> tuple[int, int, str]:
        body = service.client.get(path, params=span).json()
        return body["start"], body["end"], body["text"]

    assert read(start=5, end=12) == (5, 12, "5678901")
    start, end, text = read()
    assert (start, end, len(text)) == (0, 20_000, 20_000)
    assert read(start=29_998) == (29_998, 30_000, "89")
    assert read(start=50_000)[2] == read(start=7, end=3)[2] == ""
    for span in ({"start": -1}, {"start": 10**30}, {"end": 10**19}):
        assert error(service.client.get(path, params=span)) == (422, "invalid")


@pytest.mark.parametrize("unknown", ["0000000000000000", "%2e%2e", "a%00b", "%ff", "x" * 3000])
def test_unknown_documents_are_not_found(service: Served, unknown: str) -> None:
    for suffix in ("", "/file"):
        assert error(service.client.get(f"/documents/{unknown}{suffix}"))[0] == 404
    assert service.client.delete(f"/documents/{unknown}").status_code in (404, 405)


def test_pages_without_text_are_told_in_list_and_status(service: Served, tmp_path: Path) -> None:
    scan = write(tmp_path / "scan.pdf", ["Before the scan.", lambda pdf: pdf.rect(10, 10, 90, 90), "After it."])
    service.write("partly.pdf", scan.read_bytes())
    service.sync()
    listed = {each["source"]: each for each in service.client.get("/documents").json()["documents"]}
    assert (listed["partly.pdf"]["page_count"], listed["partly.pdf"]["unread_pages"]) == (3, [2])
    assert listed["dome.md"]["unread_pages"] == []
    assert [each["source"] for each in service.client.get("/status").json()["partly_read"]] == ["partly.pdf"]


def test_page_that_has_another_number_printed_on_it_is_told_with_both(service: Served, tmp_path: Path) -> None:
    def chapter(pdf: FPDF) -> None:
        pdf.set_page_label(label_style="D", label_start=1)
        pdf.multi_cell(0, 6, "The quokka eats leaves.")

    path = write(tmp_path / "labels.pdf", [lambda pdf: pdf.set_page_label(label_style="r"), "Preface.", chapter])
    service.write("labels.pdf", path.read_bytes())
    service.sync()
    found = service.client.post("/search", json={"query": "What does the quokka eat?"}).json()["passages"][0]
    assert (found["page"], found["page_label"]) == (3, "1")
    assert found["url"].endswith("#page=3")


def test_original_file_is_shown_under_its_name(service: Served) -> None:
    service.write("sub/手册 [1].md", "# 手册\n\n<script>alert(1)</script>\n")
    service.sync()
    response = service.client.get(f"/documents/{document_id(service, 'sub/手册 [1].md')}/file")
    assert response.text == "# 手册\n\n<script>alert(1)</script>\n"
    assert response.headers["content-type"] == "text/plain; charset=utf-8"
    assert response.headers["content-disposition"].startswith("inline")
    assert response.headers["x-content-type-options"] == "nosniff"


def test_original_file_is_never_one_outside_the_folder(service: Served, tmp_path: Path) -> None:
    secret = tmp_path / "secret.md"
    secret.write_text("secret")
    path = service.write("swapped.md", "# Swapped\n\nAn innocent text.\n")
    service.sync()
    url = f"/documents/{document_id(service, 'swapped.md')}/file"
    assert service.client.get(url).status_code == 200
    path.unlink()
    path.symlink_to(secret)
    assert error(service.client.get(url)) == (404, "not_found")
    path.unlink()
    path.symlink_to(path.name)
    assert error(service.client.get(url)) == (404, "not_found")
    path.unlink()
    assert error(service.client.get(url)) == (404, "not_found")


def test_folder_that_was_swapped_for_a_link_gives_nothing_away(service: Served, tmp_path: Path) -> None:
    (tmp_path / "inner.md").write_text("secret")
    path = service.write("inner/inner.md", "# Inner\n\nAn innocent text.\n")
    service.sync()
    url = f"/documents/{document_id(service, 'inner/inner.md')}/file"
    path.unlink()
    path.parent.rmdir()
    path.parent.symlink_to(tmp_path)
    assert error(service.client.get(url)) == (404, "not_found")
    path.parent.unlink()


def test_forgotten_document_stays_forgotten_until_its_file_changes(service: Served) -> None:
    path = service.write("forgotten.md", "# Forgotten\n\nPlatypus lay eggs.\n")
    service.sync()
    forgotten = document_id(service, "forgotten.md")
    assert "forgotten.md" in service.client.delete(f"/documents/{forgotten}").json()["message"]
    assert service.finds("platypus") == []
    assert error(service.client.get(f"/documents/{forgotten}")) == (404, "not_found")
    service.sync()
    assert service.finds("platypus") == []
    assert path.is_file()
    assert failure_of(service, "forgotten.md")["kind"] == "forgotten"
    assert service.client.get("/status").json()["index"]["failed"] == 0
    assert service.client.post("/sync?retry=true").json()["failed"] == 0
    assert service.finds("platypus") == []
    path.write_text("# Forgotten\n\nPlatypus lay eggs, and sting.\n")
    service.sync()
    assert service.finds("platypus") == ["forgotten.md"]


def test_forgotten_document_is_back_when_it_is_uploaded_again(service: Served) -> None:
    content = "# Again\n\nEchidnas lay eggs, too.\n"
    upload(service, "again.md", content)
    service.sync()
    service.client.delete(f"/documents/{document_id(service, 'again.md')}")
    uploaded = upload(service, "again.md", content).json()["uploaded"]
    assert [file["source"] for file in uploaded] == ["again.md"]
    service.sync()
    assert service.finds("echidnas") == ["again.md"]


def test_upload_is_indexed_by_itself(service: Served) -> None:
    response = upload(service, "quokka.md", "# Quokka\n\nQuokkas smile.\n")
    assert response.status_code == 201
    assert response.json() == {
        "uploaded": [
            {"root": str(service.folder), "source": "quokka.md", "size_bytes": len("# Quokka\n\nQuokkas smile.\n")}
        ]
    }
    assert eventually(lambda: service.finds("quokkas") == ["quokka.md"])


def test_several_files_can_be_uploaded_at_once(service: Served) -> None:
    files = [("files", (name, b"# Many\n\nThe same.\n")) for name in ("one.md", "two.md")]
    uploaded = service.client.post("/documents", files=files).json()["uploaded"]
    assert [file["source"] for file in uploaded] == ["one.md", "two.md"]


def test_upload_never_leaves_the_folder_nor_replaces_a_file(service: Served) -> None:
    before = set(service.folder.parent.iterdir())
    for name in ("../../escaped.md", "/etc/escaped.md", "..\\escaped.md", "sub/../../escaped.md"):
        uploaded = upload(service, name, name).json()["uploaded"][0]
        assert uploaded["source"].startswith("escaped")
        assert (service.folder / uploaded["source"]).read_text() == name
    assert set(service.folder.parent.iterdir()) == before


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("program.exe", b"MZ", (415, "unsupported_type")),
        ("...", b"text", (400, "invalid_request")),
        ("large.md", b"x" * 100_001, (413, "too_large")),
        ("larger.md", b"x" * 1_200_000, (413, "too_large")),
    ],
)
def test_uploads_that_cannot_be_taken_are_refused(
    service: Served, name: str, content: bytes, expected: tuple[int, str]
) -> None:
    before = sorted(service.folder.iterdir())
    assert error(upload(service, name, content)) == expected
    assert sorted(service.folder.iterdir()) == before


def test_endless_upload_is_cut_off(service: Served) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'--x\r\ncontent-disposition: form-data; name="files"; filename="a.md"\r\n\r\n'
        while True:
            yield b"x" * 65_536

    headers = {"content-type": "multipart/form-data; boundary=x"}
    try:
        response = service.client.post("/documents", content=pieces(), headers=headers)
    except httpx.WriteError:
        return  # the connection may be closed before the answer is read
    assert error(response) == (413, "too_large")


@pytest.mark.parametrize("body", [b"", b"--x\r\nbroken", b"--x--\r\n"])
def test_upload_without_a_file_is_refused(service: Served, body: bytes) -> None:
    headers = {"content-type": "multipart/form-data; boundary=x"}
    assert error(service.client.post("/documents", content=body, headers=headers))[0] in (400, 422)


def test_upload_into_a_folder_that_is_away_does_not_make_an_empty_one(tmp_path: Path) -> None:
    folder = tmp_path / "usb"
    folder.mkdir()
    (folder / "dome.md").write_text(DOME)
    with serving(quick_settings(tmp_path / "home"), folder) as service:
        service.sync()
        folder.rename(tmp_path / "away")
        assert error(upload(service, "a.md", "text")) == (507, "storage")
        service.sync()
        assert service.client.get("/status").json()["folders"] == [{"path": str(folder), "reachable": False}]
        assert service.sources == ["dome.md"]


def test_documents_are_listed_page_by_page(service: Served) -> None:
    for number in range(3):
        service.write(f"pages/{number}.md", f"# Page {number}\n\nThe page {number} of three.\n")
    service.sync()
    whole = service.client.get("/documents").json()
    assert whole["next"] is None
    assert whole["total"] == len(whole["documents"])
    found, cursor, pages = [], "", 0
    while cursor is not None:
        page = service.client.get("/documents", params={"limit": 2, "cursor": cursor or None}).json()
        assert len(page["documents"]) <= 2
        assert page["total"] == whole["total"]
        assert page["failures"] == ([] if pages else whole["failures"])
        found += page["documents"]
        cursor, pages = page["next"], pages + 1
    assert found == whole["documents"]
    assert pages == -(-whole["total"] // 2)


HALF_A_CHARACTER = base64.b64encode(b'["\\ud800", ""]').decode()
NUL = base64.b64encode(b'["\\u0000", ""]').decode()
DEEP = base64.b64encode(b"[" * 12_000).decode()


@pytest.mark.parametrize("cursor", ["x", "bm90IGpzb24=", "WzFd", "\N{SNOWMAN}", HALF_A_CHARACTER, NUL, DEEP])
def test_cursors_of_others_are_refused(service: Served, cursor: str) -> None:
    assert error(service.client.get("/documents", params={"cursor": cursor})) == (400, "invalid_request")


@pytest.mark.parametrize("limit", [0, 1001, "x"])
def test_page_has_a_bound(service: Served, limit: object) -> None:
    assert error(service.client.get("/documents", params={"limit": limit})) == (422, "invalid")

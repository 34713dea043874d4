import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ingest.folders.listing import stat_file
from ingest.pages.views import PageViews
from ingest.settings import IngestSettings
from kb.errors import NotFound
from kb.settings import load
from kb.values.documents import FileVersion
from tests.ingest.formats.pdf.made_pdfs import LOREM, write
from tests.ingest.formats.pdf.made_pdfs import load as load_pdf


@pytest.fixture
def ingest_settings(tmp_path: Path) -> IngestSettings:
    return load({}, kind=IngestSettings, home=tmp_path / "home", parse_seconds=20)


@pytest.fixture
def views(ingest_settings: IngestSettings) -> Iterator[PageViews]:
    with closing(PageViews(ingest_settings)) as views:
        yield views


@pytest.fixture
def file(tmp_path: Path) -> FileVersion:
    write(tmp_path / "a.pdf", [LOREM, "Otters sleep while they float.\nThey hold hands."])
    found = stat_file(tmp_path, tmp_path / "a.pdf")
    assert found
    return found


def test_a_quote_has_a_box_for_each_of_its_lines(views: PageViews, file: FileVersion) -> None:
    document = load_pdf(Path(file.root, file.source))
    text = document.text[document.blocks[1].start :]
    boxes = views.boxes(views.glyphs(file, 2), text, text.index("while"), text.index(" hands"))
    assert len(boxes) == 2
    assert boxes[0][3] <= boxes[1][3]
    assert len(views.sizes(file)) == 2


def test_what_was_seen_is_kept_until_the_file_changes(views: PageViews, file: FileVersion) -> None:
    before = views.picture(file, 2, 300)
    assert views.picture(file, 2, 300).jpeg is before.jpeg
    assert not views.has_changed(file)
    write(Path(file.root, file.source), [LOREM, "Seals."])
    assert views.has_changed(file)
    assert views.picture(file, 2, 300).tag != before.tag


def test_what_is_kept_has_a_limit(ingest_settings: IngestSettings, file: FileVersion) -> None:
    with closing(PageViews(ingest_settings, max_cache_bytes=1)) as views:
        assert views.picture(file, 1, 300).jpeg is not views.picture(file, 1, 300).jpeg


def test_a_file_that_is_gone_or_broken_says_so_and_the_next_is_shown(views: PageViews, file: FileVersion) -> None:
    path = Path(file.root, file.source)
    with pytest.raises(NotFound, match="no page 9"):
        views.picture(file, 9, 300)
    whole = path.read_bytes()
    path.write_bytes(b"%PDF-1.7 no more")
    with pytest.raises(NotFound, match="cannot be drawn"):
        views.picture(file, 1, 300)
    path.write_bytes(whole)
    os.utime(path, ns=(1, 1))
    assert views.picture(file, 1, 300).jpeg
    path.unlink()
    assert views.has_changed(file)
    with pytest.raises(NotFound, match="not there"):
        views.glyphs(file, 1)

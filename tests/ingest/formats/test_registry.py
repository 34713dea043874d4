import subprocess
import sys
from pathlib import Path

import pytest

from ingest.formats.registry import LOADERS, load, media_type, shown, supported
from ingest.formats.showing import Shown
from kb.errors import UnsupportedType


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.md", "text/markdown"),
        ("a.MARKDOWN", "text/markdown"),
        ("报告.PDF", "application/pdf"),
        ("a.b.txt", "text/plain"),
        ("a.doc", None),
        ("pdf", None),
        (".md", None),
    ],
)
def test_the_extension_decides_the_media_type(name: str, expected: str | None) -> None:
    assert media_type(Path(name)) == expected
    assert supported(Path(name)) == (expected is not None)


def test_no_extension_has_two_loaders() -> None:
    extensions = [extension for loader in LOADERS for extension in loader.extensions]
    assert len(extensions) == len(set(extensions))
    assert all(extension == extension.lower() for extension in extensions)


def test_a_file_is_read_by_its_loader() -> None:
    document = load("sub/a.md", "# 标题\n\n正文".encode())
    assert (document.title, document.media_type) == ("标题", "text/markdown")


def test_an_unknown_extension_is_refused() -> None:
    with pytest.raises(UnsupportedType, match=r"\.doc"):
        load("a.doc", b"text")


def test_what_can_run_in_a_browser_is_shown_as_text_or_saved() -> None:
    as_they_are = {loader.media_type for loader in LOADERS if loader.shown is Shown.AS_IT_IS}
    assert as_they_are == {"application/pdf", "image/png", "image/jpeg", "image/webp"}
    assert shown(Path("a.html")) is shown(Path("a.svg")) is Shown.AS_TEXT
    assert shown(Path("a.DOCX")) is Shown.AS_DOWNLOAD


def test_a_name_that_is_not_utf8_gives_a_title_that_is() -> None:
    assert load("sub/caf\udce9.md", b"text").title == "caf\ufffd"


def test_importing_the_loaders_imports_no_parser() -> None:
    heavy = (
        "{'pypdf', 'pypdfium2', 'markdown_it', 'charset_normalizer', 'bs4', 'html5lib', 'mammoth', 'openpyxl', 'PIL'}"
    )
    code = f"import sys, ingest.formats.registry, ingest.sandbox.parser; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3]).returncode == 0

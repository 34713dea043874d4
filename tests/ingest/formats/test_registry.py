import os
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.formats.registry import LOADERS, load, media_type, supported
from kb.errors import UnreadableFile, UnsupportedType


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("a.md", "text/markdown"),
        ("a.MARKDOWN", "text/markdown"),
        ("报告.PDF", "application/pdf"),
        ("a.b.txt", "text/plain"),
        ("a.docx", None),
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


def test_a_file_is_read_by_its_loader(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# 标题\n\n正文", "utf-8")
    document = load(tmp_path / "a.md")
    assert (document.title, document.media_type) == ("标题", "text/markdown")


def test_an_unknown_extension_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnsupportedType, match=r"\.docx"):
        load(tmp_path / "a.docx")


def test_a_file_that_vanished_says_so(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="vanished"):
        load(tmp_path / "gone.pdf")


@pytest.mark.parametrize("name", ["folder.md", "pipe.txt"])
def test_what_is_no_regular_file_is_not_opened(tmp_path: Path, name: str) -> None:
    (tmp_path / "folder.md").mkdir()
    os.mkfifo(tmp_path / "pipe.txt")
    with pytest.raises(UnreadableFile, match="not a regular file"):
        load(tmp_path / name)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="nothing is forbidden to this user")
def test_a_forbidden_file_says_so(tmp_path: Path) -> None:
    path = tmp_path / "secret.md"
    path.write_text("x")
    path.chmod(0)
    with pytest.raises(UnreadableFile, match="permission denied"):
        load(path)


@pytest.mark.skipif(os.name == "nt", reason="file names are Unicode there")
def test_a_name_that_is_not_utf8_gives_a_title_that_is(tmp_path: Path) -> None:
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.md"))
    path.write_text("text")
    assert load(path).title == "caf\ufffd"


def test_importing_the_loaders_imports_no_parser() -> None:
    heavy = "{'pypdf', 'pypdfium2', 'markdown_it', 'charset_normalizer'}"
    code = f"import sys, ingest.formats.registry, ingest.sandbox.parser; sys.exit(bool({heavy} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[3]).returncode == 0

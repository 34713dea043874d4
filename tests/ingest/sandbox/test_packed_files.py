"""Packed files that were made to hurt, read as the service reads them: in a child process with limits."""

import zipfile
from functools import partial
from pathlib import Path

import pytest

from ingest.sandbox.parser import ParserProcess
from kb.errors import UnreadableFile
from tests.ingest.formats.packed import docx, paragraph

MEGABYTE = 1_000_000


def test_a_package_that_unpacks_to_much_more_than_fits_says_so(tmp_path: Path) -> None:
    with (
        zipfile.ZipFile(tmp_path / "bomb.docx", "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("word/document.xml", "w", force_zip64=True) as part,
    ):
        for _ in range(1_200):
            part.write(b" " * MEGABYTE)
    (tmp_path / "good.docx").write_bytes(docx(paragraph("All is well.")))
    with ParserProcess() as parser:
        read = partial(parser.parse, seconds=20, memory_bytes=200 * MEGABYTE, max_bytes=10 * MEGABYTE)
        with pytest.raises(UnreadableFile, match="memory"):
            read(tmp_path, "bomb.docx")
        assert read(tmp_path, "good.docx").text == "All is well."


def test_entities_that_grow_without_end_are_refused(tmp_path: Path) -> None:
    entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
    with zipfile.ZipFile(tmp_path / "bomb.odt", "w") as archive:
        archive.writestr("META-INF/manifest.xml", "<manifest/>")
        archive.writestr("content.xml", f'<!DOCTYPE a [<!ENTITY e0 "lol">{entities}]><a>&e11;</a>')
    with ParserProcess() as parser, pytest.raises(UnreadableFile, match="broken"):
        parser.parse(tmp_path, "bomb.odt", seconds=20, memory_bytes=200 * MEGABYTE, max_bytes=MEGABYTE)

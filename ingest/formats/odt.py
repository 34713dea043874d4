"""OpenDocument texts: headings, paragraphs, lists, tables, notes.

Lost are headers and footers, drawings and page numbers.
"""

from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ingest.formats.converted import converted, markdown_table
from ingest.formats.packages import opened
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_SPACES = {f"{_TEXT}s": " ", f"{_TEXT}tab": " ", f"{_TEXT}line-break": " "}
_PASSED_OVER = {f"{_TEXT}tracked-changes", f"{_TEXT}table-of-content", f"{_OFFICE}forms"}
_MAX_LEVEL = 6


class OdtLoader:
    """Reads ODT."""

    media_type = "application/vnd.oasis.opendocument.text"
    extensions = (".odt",)
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads an OpenDocument text.

        Raises:
            UnreadableFile: It is empty, encrypted, broken, or has no text.
        """
        with opened(data) as package:
            if b"encryption-data" in package.read("META-INF/manifest.xml"):
                raise UnreadableFile("encrypted: it opens only with a password", "save it without a password")
            title, author, date = package.core("meta.xml")
            body = package.xml("content.xml").find(f".//{_OFFICE}text")
            text = "\n\n".join(_blocks(body)) if body is not None else ""
        return converted(name, self.media_type, [text], title=title, date=date, names=[author])


def _blocks(element: Element) -> Iterator[str]:
    for child in element:
        if child.tag == f"{_TEXT}h":
            level = int(child.attrib.get(f"{_TEXT}outline-level", "1"))
            yield f"{'#' * min(level, _MAX_LEVEL)} {_line(child)}"
        elif child.tag == f"{_TEXT}p":
            yield _line(child)
        elif child.tag == f"{_TEXT}list":
            yield "\n".join(_items(child, ""))
        elif child.tag == f"{_TABLE}table":
            rows = child.iter(f"{_TABLE}table-row")
            yield markdown_table(
                [[" ".join(_blocks(cell)) for cell in row.iter(f"{_TABLE}table-cell")] for row in rows]
            )
        elif child.tag not in _PASSED_OVER:
            yield from _blocks(child)


def _items(items: Element, indent: str) -> Iterator[str]:
    for item in items:
        for part in item:
            if part.tag == f"{_TEXT}list":
                yield from _items(part, f"{indent}  ")
            elif line := _line(part):
                yield f"{indent}- {line}"


def _line(element: Element) -> str:
    return " ".join("".join(_texts(element)).split())


def _texts(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        yield _SPACES.get(child.tag, "")
        if child.tag == f"{_TEXT}note":
            notes = (" ".join(_blocks(body)) for body in child.iter(f"{_TEXT}note-body"))
            yield f" ({' '.join(notes)}) "
        elif child.tag not in _PASSED_OVER:
            yield from _texts(child)
        yield child.tail or ""

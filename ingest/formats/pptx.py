"""Presentations: a slide is a page, with its title as heading, its tables, and what the speaker noted.

Lost are charts, drawings, and where on the slide a text stands.
"""

import posixpath
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from ingest.formats.converted import converted, markdown_table
from ingest.formats.packages import Package, opened
from ingest.formats.showing import Shown
from kb.values.documents import Document

_DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"
_SLIDE = "{http://schemas.openxmlformats.org/presentationml/2006/main}"
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_FOLDER = "ppt"


class PptxLoader:
    """Reads PPTX."""

    media_type = "application/vnd.openxmlformats-officedocument.presentationml.presentation"
    extensions = (".pptx",)
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a presentation; hidden slides too.

        Raises:
            UnreadableFile: It is empty, encrypted, broken, or has no text.
        """
        with opened(data) as package:
            title, author, date = package.core("docProps/core.xml")
            targets = _relations(package, f"{_FOLDER}/presentation.xml")
            order = package.xml(f"{_FOLDER}/presentation.xml").iter(f"{_SLIDE}sldId")
            parts = [targets[each.attrib[_RELATION]] for each in order]
            slides = ["\n\n".join(filter(None, _slide(package, part))) for part in parts]
            pictured = {number for number, part in enumerate(parts, start=1) if _is_pictured(package, part)}
        return converted(
            *(name, self.media_type, slides),
            title=title,
            date=date,
            names=[author],
            are_pages=True,
            pictured=pictured,
        )


def _relations(package: Package, part: str) -> dict[str, str]:
    """The parts that one part names, by the id that it uses for them."""
    folder, base = posixpath.split(part)
    listed = f"{folder}/_rels/{base}.rels"
    if listed not in package.names:
        return {}
    return {
        each.attrib["Id"]: posixpath.normpath(posixpath.join(folder, each.attrib["Target"])).lstrip("/")
        for each in package.xml(listed)
        if each.attrib.get("TargetMode") != "External"
    }


def _slide(package: Package, part: str) -> Iterator[str]:
    for shape in package.xml(part).iter():
        if shape.tag == f"{_SLIDE}sp":
            text = "\n\n".join(_paragraphs(shape))
            kind = next((each.attrib.get("type", "") for each in shape.iter(f"{_SLIDE}ph")), "")
            if kind in ("title", "ctrTitle") and text:
                yield f"# {' '.join(text.split())}"
            elif text and kind not in ("sldNum", "dt", "ftr"):
                yield text
        elif shape.tag == f"{_DRAWING}tbl":
            rows = [
                [" ".join(_paragraphs(cell)) for cell in row.iter(f"{_DRAWING}tc")]
                for row in shape.iter(f"{_DRAWING}tr")
            ]
            yield markdown_table(rows)
    for target in _relations(package, part).values():
        if "notesSlide" in target and target in package.names:
            bodies = (each for each in package.xml(target).iter(f"{_SLIDE}sp") if _is_body(each))
            yield from (text for each in bodies if (text := "\n\n".join(_paragraphs(each))))


def _is_pictured(package: Package, part: str) -> bool:
    return any(each.tag in (f"{_SLIDE}pic", f"{_SLIDE}graphicFrame") for each in package.xml(part).iter())


def _is_body(shape: Element) -> bool:
    return any(each.attrib.get("type") == "body" for each in shape.iter(f"{_SLIDE}ph"))


def _paragraphs(shape: Element) -> Iterator[str]:
    for paragraph in shape.iter(f"{_DRAWING}p"):
        parts = ((each.text or "") if each.tag == f"{_DRAWING}t" else " " for each in _runs(paragraph))
        if text := " ".join("".join(parts).split()):
            yield text


def _runs(paragraph: Element) -> Iterator[Element]:
    return (each for each in paragraph.iter() if each.tag in (f"{_DRAWING}t", f"{_DRAWING}br"))

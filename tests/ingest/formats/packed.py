"""Office documents and e-books that the tests make themselves, of the parts that readers need."""

import io
import zipfile
from collections.abc import Mapping

WORD = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
CORE = (
    '<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">'
    "<dc:title>{title}</dc:title><dc:creator>Jane Doe</dc:creator>"
    "<dcterms:created>2024-05-01T10:00:00Z</dcterms:created></cp:coreProperties>"
)
_RELATIONS = '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">{}</Relationships>'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"


def package(parts: Mapping[str, str]) -> bytes:
    """Packs texts under their names."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def relations(**targets: str) -> str:
    """The list of the parts that a part names: by id, kind and target as `kind target`."""
    return _RELATIONS.format(
        "".join(
            f'<Relationship Id="{key}" Type="{_OFFICE}/{target.split()[0]}" Target="{target.split()[1]}"/>'
            for key, target in targets.items()
        )
    )


def docx(body: str, title: str = "") -> bytes:
    """A Word document.

    Args:
        body: WordprocessingML; styles are `H1`, `H2` and `Item`.
    """
    types = (
        '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
        '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        '<Default Extension="xml" ContentType="application/xml"/></Types>'
    )
    styles = "".join(
        f'<w:style w:type="paragraph" w:styleId="{key}"><w:name w:val="{name}"/></w:style>'
        for key, name in (("H1", "heading 1"), ("H2", "heading 2"))
    )
    return package(
        {
            "[Content_Types].xml": types,
            "_rels/.rels": relations(a="officeDocument word/document.xml"),
            "word/_rels/document.xml.rels": relations(s="styles styles.xml"),
            "word/styles.xml": f"<w:styles {WORD}>{styles}</w:styles>",
            "word/document.xml": f"<w:document {WORD}><w:body>{body}</w:body></w:document>",
            "docProps/core.xml": CORE.format(title=title),
        }
    )


def paragraph(text: str, style: str = "") -> str:
    """A paragraph of a Word document."""
    named = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{named}<w:r><w:t>{text}</w:t></w:r></w:p>"


def table(*rows: tuple[str, ...]) -> str:
    """A table of a Word document."""
    cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
    return f"<w:tbl>{''.join(f'<w:tr>{row}</w:tr>' for row in cells)}</w:tbl>"


def pptx(*slides: tuple[str, str, str]) -> bytes:
    """A presentation: title, text and what the speaker noted of each slide; its parts are listed last to first."""
    names = {
        "p": "http://schemas.openxmlformats.org/presentationml/2006/main",
        "a": "http://schemas.openxmlformats.org/drawingml/2006/main",
        "r": _OFFICE,
    }
    spaces = " ".join(f'xmlns:{key}="{value}"' for key, value in names.items())

    def shape(text: str, kind: str) -> str:
        lines = "".join(f"<a:p><a:r><a:t>{line}</a:t></a:r></a:p>" for line in text.split("\n"))
        return f'<p:sp><p:nvSpPr><p:nvPr><p:ph type="{kind}"/></p:nvPr></p:nvSpPr><p:txBody>{lines}</p:txBody></p:sp>'

    parts = {"docProps/core.xml": CORE.format(title="")}
    for number, (title, text, note) in enumerate(slides, start=1):
        shapes = shape(title, "title") + shape(text, "body") + shape(str(number), "sldNum") + "<p:pic/>"
        parts[f"ppt/slides/slide{number}.xml"] = f"<p:sld {spaces}>{shapes}</p:sld>"
        if note:
            parts[f"ppt/notesSlides/notesSlide{number}.xml"] = f"<p:notes {spaces}>{shape(note, 'body')}</p:notes>"
            notes = f"notesSlide ../notesSlides/notesSlide{number}.xml"
            parts[f"ppt/slides/_rels/slide{number}.xml.rels"] = relations(n=notes)
    order = range(1, len(slides) + 1)
    listed = "".join(f'<p:sldId id="{255 + number}" r:id="s{number}"/>' for number in order)
    parts["ppt/presentation.xml"] = f"<p:presentation {spaces}><p:sldIdLst>{listed}</p:sldIdLst></p:presentation>"
    targets = {f"s{number}": f"slide slides/slide{number}.xml" for number in reversed(order)}
    parts["ppt/_rels/presentation.xml.rels"] = relations(**targets)
    return package(parts)


def odt(body: str, title: str = "") -> bytes:
    """An OpenDocument text with some body."""
    base = "urn:oasis:names:tc:opendocument:xmlns"
    spaces = " ".join(f'xmlns:{name}="{base}:{name}:1.0"' for name in ("office", "text", "table"))
    return package(
        {
            "META-INF/manifest.xml": "<manifest/>",
            "meta.xml": CORE.format(title=title),
            "content.xml": f"<office:document-content {spaces}><office:body><office:text>{body}</office:text>"
            "</office:body></office:document-content>",
        }
    )


def epub(*chapters: str, title: str = "", locks: str = "") -> bytes:
    """An e-book of chapters in XHTML."""
    order = range(len(chapters))
    items = "".join(f'<item id="c{n}" href="text/c%20{n}.xhtml"/>' for n in reversed(order))
    spine = "".join(f'<itemref idref="c{n}"/>' for n in order)
    opf = (
        '<package xmlns="http://www.idpf.org/2007/opf"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<dc:title>{title}</dc:title><dc:creator>Jane Doe</dc:creator></metadata>"
        f"<manifest>{items}</manifest><spine>{spine}</spine></package>"
    )
    container = (
        '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
        '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
    )
    parts = {"META-INF/container.xml": container, "OEBPS/book.opf": opf}
    parts |= {f"OEBPS/text/c {n}.xhtml": f"<html><body>{chapter}</body></html>" for n, chapter in enumerate(chapters)}
    return package(parts | ({"META-INF/encryption.xml": locks} if locks else {}))

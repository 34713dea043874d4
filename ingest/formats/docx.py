"""Word documents, by way of the HTML that `mammoth` makes of them: headings, lists, tables, notes and comments.

Lost are headers and footers, drawings and page numbers.
"""

import io

from ingest.formats.converted import converted
from ingest.formats.html import html_to_markdown
from ingest.formats.packages import opened
from ingest.formats.showing import Shown
from kb.values.documents import Document

_STYLES = "comment-reference => sup\np[style-name='Title'] => h1:fresh\np[style-name='标题'] => h1:fresh"


class DocxLoader:
    """Reads DOCX."""

    media_type = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
    extensions = (".docx",)
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a Word document.

        Raises:
            UnreadableFile: It is empty, encrypted, broken, or has no text.
        """
        import mammoth

        with opened(data) as package:
            title, author, date = package.core("docProps/core.xml")
            package.read("word/document.xml")
            no_pictures = mammoth.images.img_element(lambda _: {"src": ""})
            html = mammoth.convert_to_html(io.BytesIO(data), style_map=_STYLES, convert_image=no_pictures).value
        parts = [html_to_markdown(html, is_well_formed=True)]
        return converted(name, self.media_type, parts, title=title, date=date, names=[author])

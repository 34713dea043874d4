"""Rich text: its words and tables, without headings, which it has none of.

Lost are styles, pictures, notes at the foot of pages.
"""

from ingest.formats.converted import converted
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document


class RtfLoader:
    """Reads RTF."""

    media_type = "application/rtf"
    extensions = (".rtf",)
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a rich text.

        Raises:
            UnreadableFile: It is empty, of another kind, or has no text.
        """
        from striprtf.striprtf import rtf_to_text

        if not data.strip():
            raise UnreadableFile("the file is empty")
        if not data.lstrip().startswith(b"{\\rtf"):
            raise UnreadableFile("not RTF: it does not begin as such a file does", "give it the extension that fits")
        text = rtf_to_text(data.decode("latin-1"), errors="ignore")
        paragraphs = (" ".join(line.split()) for line in text.replace("|\n", "\n").split("\n"))
        return converted(name, self.media_type, ["\n\n".join(filter(None, paragraphs))], heading_is_title=False)

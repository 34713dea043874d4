"""Source code: its text is code as a whole, cut at blank lines where it is long."""

from ingest.formats.encoding import clean
from ingest.formats.layout import paragraph_spans
from ingest.formats.markdown import file_text
from ingest.formats.showing import Shown
from kb.values.documents import Block, BlockKind, Document


class SourceCodeLoader:
    """Reads programs; what configures them is no text for people, and comes in the thousands."""

    media_type = "text/x-source"
    extensions = (
        *(".py", ".pyi", ".js", ".mjs", ".ts", ".tsx", ".jsx", ".java", ".kt", ".scala", ".c", ".h", ".cc", ".cpp"),
        *(".hpp", ".cs", ".go", ".rs", ".swift", ".rb", ".php", ".pl", ".lua", ".r", ".jl", ".m", ".sh", ".bash"),
        *(".ps1", ".sql", ".vue"),
    )
    shown = Shown.AS_TEXT
    is_markdown = False

    def load(self, name: str, data: bytes) -> Document:
        """Reads a file of code; it is called by its whole name.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        text = file_text(data)
        blocks = tuple(Block(start, end, BlockKind.CODE) for start, end in paragraph_spans(text, 0, len(text)))
        return Document(title=clean(name), media_type=self.media_type, text=text, blocks=blocks)

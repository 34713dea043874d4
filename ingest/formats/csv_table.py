"""Tables in text files, with commas, semicolons or tabs between the cells. The first row is the header."""

import csv

from ingest.formats.converted import converted, markdown_table
from ingest.formats.markdown import file_text
from ingest.formats.showing import Shown
from kb.errors import UnreadableFile
from kb.values.documents import Document

_SAMPLE_CHARS = 16_384
_SEPARATORS = ",;\t|"


class CsvLoader:
    """Reads CSV and TSV."""

    media_type = "text/csv"
    extensions = (".csv", ".tsv")
    shown = Shown.AS_TEXT
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a table.

        Raises:
            UnreadableFile: It is empty or not text.
        """
        text = file_text(data)
        try:
            rows = [row for row in csv.reader(text.splitlines(keepends=True), _dialect(text)) if any(row)]
        except csv.Error as error:
            raise UnreadableFile(f"broken: {error}", "open it in a spreadsheet, and save it again") from error
        return converted(name, self.media_type, [markdown_table(rows)], heading_is_title=False)


def _dialect(text: str) -> type[csv.Dialect]:
    try:
        return csv.Sniffer().sniff(text[:_SAMPLE_CHARS], _SEPARATORS)
    except csv.Error:
        return csv.excel

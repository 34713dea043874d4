"""Workbooks: each sheet is a section with a table of its values, as they were when the file was saved.

Lost are formulas, charts, and how a number is shown. The first row with several values is taken for the header.
"""

import datetime
import io
import warnings
from collections.abc import Iterable

from ingest.formats.converted import converted, markdown_table
from ingest.formats.packages import opened
from ingest.formats.showing import Shown
from kb.values.documents import Document


class XlsxLoader:
    """Reads XLSX."""

    media_type = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
    extensions = (".xlsx", ".xlsm")
    shown = Shown.AS_DOWNLOAD
    is_markdown = True

    def load(self, name: str, data: bytes) -> Document:
        """Reads a workbook.

        Raises:
            UnreadableFile: It is empty, encrypted, broken, or has no text.
        """
        import openpyxl

        with opened(data) as package, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about styles and extensions, which are not read
            title, author, date = package.core("docProps/core.xml")
            package.read("xl/workbook.xml")
            workbook = openpyxl.load_workbook(io.BytesIO(data), read_only=True, data_only=True)
            sheets = [
                f"# {sheet.title}\n\n{_table(sheet.iter_rows(values_only=True))}" for sheet in workbook.worksheets
            ]
            workbook.close()
        return converted(name, self.media_type, sheets, title=title, date=date, names=[author], heading_is_title=False)


def _table(rows: Iterable[tuple[object, ...]]) -> str:
    filled = [cells for row in rows if any(cells := [_written(value) for value in row])]
    if not filled:
        return ""
    used = [column for column in range(max(map(len, filled))) if any(_at(row, column) for row in filled)]
    table = [[_at(row, column) for column in used] for row in filled]
    header = next((place for place, row in enumerate(table) if sum(map(bool, row)) > 1), 0)
    above = "\n\n".join(" ".join(filter(None, row)) for row in table[:header])
    return f"{above}\n\n{markdown_table(table[header:])}".strip()


def _at(row: list[str], column: int) -> str:
    return row[column] if column < len(row) else ""


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, float):
        return f"{value:.10g}" if abs(value) < 1e10 else str(value)
    if isinstance(value, datetime.datetime) and value.time() == datetime.time():
        return value.date().isoformat()
    return str(value)

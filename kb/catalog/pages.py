"""Where the pages of a document begin and end in its text, as its chunks tell: none of them crosses a page."""

from kb.catalog.database import Database
from kb.values.documents import PageSpan


class PageStore:
    """Reads the pages of a catalog.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def spans(self, document_id: str) -> list[PageSpan]:
        """The pages of a document that have text, in order."""
        sql = (
            "SELECT page, min(start_char) AS first, max(end_char) AS last, max(page_label) AS label FROM chunks"
            " WHERE document_id = ? AND page IS NOT NULL GROUP BY page ORDER BY page"
        )
        rows = self._database.rows(sql, document_id)
        return [PageSpan(row["page"], row["first"], row["last"], row["label"]) for row in rows]

"""What was made of documents by reading them whole: kept with the version of the document that it was made of.

Knows neither what is kept nor who makes it: a key says all that decides what comes out. It goes when the document goes,
or becomes another.
"""

from kb.catalog.database import Database


class DigestStore:
    """Reads and writes the table `digests`.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, document_id: str, key: str) -> str | None:
        """What is kept under a key, or None."""
        rows = self._database.rows("SELECT value FROM digests WHERE document_id = ? AND key = ?", document_id, key)
        return next((str(row["value"]) for row in rows), None)

    def put(self, document_id: str, key: str, value: str) -> None:
        """Keeps a text; of a document that is gone meanwhile, nothing is kept."""
        sql = "INSERT OR REPLACE INTO digests SELECT id, ?, ? FROM documents WHERE id = ?"
        with self._database.transaction() as connection:
            connection.execute(sql, (key, value, document_id))

"""What was read in the pictures of pages (OCR), by the content of the file: no picture of it is read twice.

Rows go with the last document of that content. Which pages wait to be read follows from documents and rows alone, so
that it is known whenever the process ends.
"""

import json
from dataclasses import astuple

from kb.catalog.database import Connection, Database
from kb.catalog.ledger import file_version
from kb.values.documents import FileVersion
from kb.values.scans import ScannedPage, Word

_UNREAD = "documents JOIN json_each(documents.unread_pages) AS unread ON unread_pages <> '[]'"
_SCAN = "SELECT 1 FROM scans WHERE scans.sha256 = documents.sha256 AND page = unread.value"
_WAITING = f"FROM {_UNREAD} WHERE NOT EXISTS ({_SCAN})"


class ScanStore:
    """Reads and writes the table `scans`.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def waiting_pages(self) -> int:
        """How many pages wait to be read."""
        return int(self._database.rows(f"SELECT count(*) AS n {_WAITING}")[0]["n"])

    def waiting(self) -> list[tuple[FileVersion, tuple[int, ...]]]:
        """Files with the pages that wait to be read, the newest first."""
        sql = (
            "SELECT documents.root AS root, source, size_bytes, modified_ns, changed_ns, sha256,"
            " json_group_array(unread.value) AS pages"
            f" {_WAITING} GROUP BY documents.id ORDER BY modified_ns DESC, documents.id"
        )
        return [(file_version(row), tuple(sorted(json.loads(row["pages"])))) for row in self._database.rows(sql)]

    def add(self, sha256: str, page: int, scan: ScannedPage) -> None:
        """Notes what was read in the picture of a page, if a document of that content has pages without text."""
        sql = (
            "INSERT OR REPLACE INTO scans SELECT ?1, ?2, ?3, ?4"
            " WHERE EXISTS (SELECT 1 FROM documents WHERE unread_pages <> '[]' AND sha256 = ?1)"
        )
        words = json.dumps([astuple(word) for word in scan.words], ensure_ascii=False, separators=(",", ":"))
        with self._database.transaction() as connection:
            connection.execute(sql, (sha256, page, scan.text, words))

    def texts(self, sha256: str) -> dict[int, str]:
        """What was read in the pictures of a file, by page; empty texts where there was nothing."""
        rows = self._database.rows("SELECT page, text FROM scans WHERE sha256 = ?", sha256)
        return {row["page"]: row["text"] for row in rows}

    def page(self, document_id: str, page: int) -> ScannedPage | None:
        """What was read in the picture of a page, with the places of the words; None where it was not read so."""
        sql = (
            "SELECT scans.text AS text, words FROM scans JOIN documents ON documents.sha256 = scans.sha256"
            " WHERE id = ? AND page = ?"
        )
        rows = self._database.rows(sql, document_id, page)
        return next((ScannedPage(row["text"], _words(row["words"])) for row in rows), None)

    def outdate_read(self) -> int:
        """Takes the recipe off documents of which pages have been read since, so that these become part of their text.

        Those count, too, in whose pictures nothing was found, and which have no other text.

        Returns:
            How many.
        """
        read = f"SELECT documents.id FROM {_UNREAD} WHERE EXISTS ({_SCAN} AND scans.text <> '')"
        waiting = f"SELECT documents.id {_WAITING}"
        in_vain = f"SELECT id FROM documents WHERE unread_pages <> '[]' AND text_chars = 0 AND id NOT IN ({waiting})"
        sql = f"UPDATE documents SET recipe = '' WHERE recipe <> '' AND (id IN ({read}) OR id IN ({in_vain}))"
        with self._database.transaction() as connection:
            return connection.execute(sql).rowcount

    def forget_empty(self) -> None:
        """Has the pictures in which nothing was found read again."""
        with self._database.transaction() as connection:
            connection.execute("DELETE FROM scans WHERE text = ''")


def drop_orphans(connection: Connection, sha256: str) -> None:
    """Deletes what was read in pictures of a content that no document has, as part of a transaction."""
    connection.execute(
        "DELETE FROM scans WHERE sha256 = ?1 AND NOT EXISTS (SELECT 1 FROM documents WHERE sha256 = ?1)", (sha256,)
    )


def _words(written: str) -> tuple[Word, ...]:
    return tuple(Word(*word) for word in json.loads(written))

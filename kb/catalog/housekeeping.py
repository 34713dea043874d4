"""What the catalog's file needs beside its content: that nothing is left of what was removed, and its size."""

from kb.catalog.database import Database

_MERGE_PAGES = 2000
_MUCH_FREE = 0.25
_PAGES_GIVEN_BACK = 2000


class Housekeeping:
    """Keeps the file of a catalog.

    Args:
        database: Has the catalog's schema.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def merge_terms(self) -> bool:
        """Merges some of the full-text index, by which the terms of removed chunks go.

        Returns:
            Whether there is more to merge.
        """
        with self._database.transaction() as connection:
            before = connection.total_changes
            connection.execute("INSERT INTO chunk_terms (chunk_terms, rank) VALUES ('merge', ?)", (-_MERGE_PAGES,))
            return connection.total_changes - before > 1  # https://www.sqlite.org/fts5.html#the_merge_command

    def vacuum(self) -> None:
        """Writes the file anew, so that nothing is left of what was deleted. Takes as long as copying it."""
        self._database.vacuum()

    def checkpoint(self) -> bool:
        """Empties the write-ahead log; False: a reader was in the way."""
        return self._database.checkpoint()

    def give_back_space(self) -> bool:
        """Gives some of the file's empty pages back to the disk if it has many.

        Returns:
            Whether it had.
        """
        if self._database.free_share() < _MUCH_FREE:
            return False
        self._database.give_back(_PAGES_GIVEN_BACK)
        return True

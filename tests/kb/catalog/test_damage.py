"""What is said of a catalog that is damaged or none at all: that it can be removed, and is made anew."""

import os
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from kb.catalog.catalog import Catalog
from kb.catalog.database import MADE_ANEW
from kb.errors import SchemaMismatch, StorageError
from tests.kb.catalog.catalog_harness import add, file_named, found_texts

PAGE_BYTES = 4096
WRITE_VERSION, TEXT_ENCODING, USER_VERSION = 18, 59, 60  # of the header, sqlite.org/fileformat.html


def overwrite(at: int, content: bytes) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        with path.open("r+b") as file:
            file.seek(at)
            file.write(content)

    return damage


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // PAGE_BYTES // 2 * PAGE_BYTES)


def put_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def put_database_of_others(version: int) -> Callable[[Path], None]:
    def damage(path: Path) -> None:
        path.unlink()
        with closing(sqlite3.connect(path)) as connection:
            connection.executescript(f"CREATE TABLE photos (name TEXT); PRAGMA user_version = {version};")

    return damage


DAMAGES = {
    "no database": lambda path: path.write_bytes(b"not a database " * 1000),
    "header": overwrite(0, b"\xff" * 100),
    "one byte of the header": overwrite(WRITE_VERSION, b"\xff"),
    "encoding": overwrite(TEXT_ENCODING, b"\x03"),
    "version below all": overwrite(USER_VERSION, b"\xff\0\0\0"),
    "version of none": overwrite(USER_VERSION, bytes(4)),
    "pages": overwrite(PAGE_BYTES, random.Random(1).randbytes(40 * PAGE_BYTES)),
    "empty pages": overwrite(PAGE_BYTES, bytes(40 * PAGE_BYTES)),
    "cut": cut,
    "folder": put_folder,
    "of others": put_database_of_others(0),
    "of others, with our version": put_database_of_others(3),
}


@pytest.fixture
def filled(path: Path) -> Path:
    catalog = Catalog(path)
    for number in range(10):
        texts = [f"text {i} of the {number}th document" for i in range(60)]
        add(catalog, f"d{number}", *texts, file=file_named(f"{number}.md"))
    assert catalog.housekeeping.checkpoint()
    catalog.close()
    return path


def use(path: Path) -> None:
    catalog = Catalog(path)
    try:
        found_texts(catalog, "document")
        for document in catalog.documents():
            catalog.text(document.id)
            catalog.remove(document.id)
        add(catalog, "new", "new text", file=file_named("new.md"))
        catalog.housekeeping.vacuum()
    finally:
        catalog.close()


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_damage_is_an_error_that_says_how_the_catalog_is_made_anew(
    filled: Path, damage: Callable[[Path], None]
) -> None:
    damage(filled)
    with pytest.raises(StorageError, match=str(filled)) as caught:
        use(filled)
    assert caught.value.hint == MADE_ANEW


def test_database_of_others_is_left_as_it_is(filled: Path) -> None:
    put_database_of_others(0)(filled)
    with pytest.raises(StorageError, match="not a catalog of r1-kb"):
        Catalog(filled)
    with closing(sqlite3.connect(filled)) as connection:
        assert connection.execute("SELECT name FROM sqlite_schema").fetchall() == [("photos",)]


def test_text_that_is_none_is_damage_and_is_not_quoted(filled: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection:
        connection.execute("UPDATE documents SET text = CAST(x'736563726574ff' AS TEXT)")
        connection.commit()
    with closing(Catalog(filled)) as catalog, pytest.raises(StorageError) as caught:
        catalog.text("d3")
    assert caught.value.hint == MADE_ANEW
    assert "secret" not in caught.value.message
    assert caught.value.__suppress_context__


def test_damage_anywhere_is_the_projects_error_or_none(filled: Path, tmp_path: Path) -> None:
    content, dice = filled.read_bytes(), random.Random(7)
    for number in range(150):
        copy = tmp_path / f"{number}.sqlite3"
        copy.write_bytes(content)
        overwrite(dice.randrange(len(content)), dice.randbytes(16))(copy)
        try:
            Catalog(copy).close()
        except StorageError as error:
            assert MADE_ANEW in error.hint


def test_empty_file_becomes_a_catalog(path: Path) -> None:
    path.touch()
    use(path)


def test_newer_catalog_may_be_removed_too(filled: Path) -> None:
    overwrite(USER_VERSION, b"\0\0\0\x63")(filled)
    with pytest.raises(SchemaMismatch) as caught:
        Catalog(filled)
    assert caught.value.hint.endswith(MADE_ANEW)


def test_what_is_not_of_the_file_is_not_said_to_be_damage(tmp_path: Path) -> None:
    with pytest.raises(StorageError) as caught:
        Catalog(tmp_path / "missing" / "catalog.sqlite3")
    assert "permissions" in caught.value.hint

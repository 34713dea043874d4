"""What passes which filter, by what the catalog says of it."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from kb.catalog.catalog import Catalog
from kb.errors import InvalidRequest
from kb.values.documents import Chunk, Document, FileVersion
from kb.values.filters import EVERYTHING, MAX_VALUES, Filters

NEW_YEAR_NS = 1_704_067_200 * 10**9  # 2024-01-01T00:00:00Z
HOUR_NS = 3600 * 10**9


@pytest.fixture
def catalog(tmp_path: Path) -> Iterator[Catalog]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield catalog
    catalog.close()


def add(
    catalog: Catalog,
    source: str,
    *,
    root: str = "/home/ada/papers",
    media_type: str = "text/markdown",
    tags: tuple[str, ...] = (),
    date: datetime.date | None = None,
    modified_ns: int = 0,
) -> None:
    """Adds a document whose id is its source."""
    document = Document(source, media_type, "text", (), tags=tags, date=date)
    file = FileVersion(root, source, 4, modified_ns, "hash")
    catalog.swap(source, file, document, [Chunk(0, 4, "text")], ["hash"])


def passing(catalog: Catalog, **conditions: Any) -> list[str]:
    return sorted(catalog.chunks.counts(Filters(**conditions)))


def test_no_condition_is_no_filter() -> None:
    assert not EVERYTHING
    assert not Filters()
    for condition in ({"folders": ("a",)}, {"since": datetime.date(2024, 1, 1)}, {"document_ids": ("x",)}):
        assert Filters(**condition)


@pytest.mark.parametrize(
    ("conditions", "said"),
    [
        ({"folders": ("a", "")}, "folders"),
        ({"types": (" ",)}, "types"),
        ({"tags": ("",)}, "tags"),
        ({"tags": ("a\0b",)}, "NUL"),
        ({"document_ids": ("",)}, "document_ids"),
        ({"document_ids": ("x",) * (MAX_VALUES + 1)}, "1,001"),
        ({"since": datetime.date(2024, 1, 2), "until": datetime.date(2024, 1, 1)}, "after"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_hint(conditions: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidRequest, match=said) as raised:
        Filters(**conditions)
    assert raised.value.hint


def test_as_many_values_as_allowed_are_taken(catalog: Catalog) -> None:
    add(catalog, "a.md")
    ids = tuple(f"id {number}" for number in range(MAX_VALUES - 1))
    assert passing(catalog, document_ids=(*ids, "a.md"), folders=(*ids, "a.md"), types=(*ids, "md")) == ["a.md"]


@pytest.mark.parametrize(
    ("folder", "expected"),
    [
        ("2024", ["2024/may/b.md", "2024/a.md"]),
        ("2024/", ["2024/may/b.md", "2024/a.md"]),
        ("./2024//may/../may", ["2024/may/b.md"]),
        ("2024/may/b.md", ["2024/may/b.md"]),
        ("20", []),
        ("may", []),
        ("2024/may/b", []),
        ("2024/MAY", []),
        (".", ["2024/may/b.md", "2024/a.md", "20241/c.md", "notes/2024.md"]),
        ("/home/ada/papers", ["2024/may/b.md", "2024/a.md", "20241/c.md"]),
        ("/home/ada/papers/2024/may/", ["2024/may/b.md"]),
        ("/home/ada/papers/2024/a.md", ["2024/a.md"]),
        ("/home/ada", ["2024/may/b.md", "2024/a.md", "20241/c.md", "notes/2024.md"]),
        ("/", ["2024/may/b.md", "2024/a.md", "20241/c.md", "notes/2024.md"]),
        ("/home/ad", []),
        ("home/ada/papers", []),
        ("..", []),
    ],
)
def test_folder_is_below_a_watched_one_or_absolute(catalog: Catalog, folder: str, expected: list[str]) -> None:
    for source in ("2024/a.md", "2024/may/b.md", "20241/c.md"):
        add(catalog, source)
    add(catalog, "notes/2024.md", root="/home/ada/more")
    assert passing(catalog, folders=(folder,)) == sorted(expected)


@pytest.mark.parametrize("folder", ["100%", "a_b", "[x]", "it's", "知识", 'say "so"'])
def test_names_of_folders_are_taken_literally(catalog: Catalog, folder: str) -> None:
    add(catalog, f"{folder}/wanted.md")
    add(catalog, "100 percent/a.md")
    add(catalog, "acb/b.md")
    assert passing(catalog, folders=(folder,)) == [f"{folder}/wanted.md"]
    assert passing(catalog, folders=(f"/home/ada/papers/{folder}",)) == [f"{folder}/wanted.md"]


def test_file_system_s_root_may_be_watched(catalog: Catalog) -> None:
    add(catalog, "srv/a.md", root="/")
    assert passing(catalog, folders=("/srv",)) == passing(catalog, folders=("srv/",)) == ["srv/a.md"]


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("pdf", ["a.PDF"]),
        (".Pdf", ["a.PDF"]),
        ("application/PDF", ["a.PDF"]),
        ("md", ["b.md", "e.MD", "pdf.md"]),
        ("markdown", ["b.md", "c.markdown", "e.MD", "pdf.md"]),
        ("text/markdown", ["b.md", "c.markdown", "e.MD", "pdf.md"]),
        ("text/plain", ["d.txt"]),
        ("df", []),
        ("%", []),
        ("text", []),
    ],
)
def test_type_is_an_extension_or_a_media_type(catalog: Catalog, kind: str, expected: list[str]) -> None:
    add(catalog, "a.PDF", media_type="application/pdf")
    add(catalog, "d.txt", media_type="text/plain")
    for source in ("b.md", "c.markdown", "e.MD", "pdf.md"):
        add(catalog, source)
    assert passing(catalog, types=(kind,)) == expected


@pytest.mark.parametrize(
    ("tag", "expected"),
    [
        ("field", ["a.md", "b.md"]),
        ("ＦＩＥＬＤ", ["a.md", "b.md"]),
        (" Field ", ["a.md", "b.md"]),
        ("fiel", []),
        ("strasse", ["b.md"]),
        ("標籤", ["a.md"]),
        ("%", []),
    ],
)
def test_tags_are_equal_but_for_case_and_width(catalog: Catalog, tag: str, expected: list[str]) -> None:
    add(catalog, "a.md", tags=("Field", "標籤"))
    add(catalog, "b.md", tags=("other", "ｆｉｅｌｄ", "Straße"))
    add(catalog, "c.md")
    assert passing(catalog, tags=(tag,)) == expected


def test_days_are_inclusive_and_the_document_s_own_date_goes_before_its_file_s(catalog: Catalog) -> None:
    add(catalog, "own.md", date=datetime.date(2023, 6, 1), modified_ns=NEW_YEAR_NS)
    add(catalog, "eve.md", modified_ns=NEW_YEAR_NS - 1)
    add(catalog, "day.md", modified_ns=NEW_YEAR_NS + 23 * HOUR_NS)
    add(catalog, "ancient.md", modified_ns=-HOUR_NS)
    first, last = datetime.date(2024, 1, 1), datetime.date(2023, 12, 31)
    assert passing(catalog, since=first) == ["day.md"]
    assert passing(catalog, since=last) == ["day.md", "eve.md"]
    assert passing(catalog, until=last) == ["ancient.md", "eve.md", "own.md"]
    assert passing(catalog, since=datetime.date(2023, 6, 1), until=datetime.date(2023, 6, 1)) == ["own.md"]
    assert passing(catalog, until=datetime.date(1969, 12, 31)) == ["ancient.md"]


def test_each_condition_must_hold_and_of_several_values_one_is_enough(catalog: Catalog) -> None:
    add(catalog, "x/a.md", tags=("red",))
    add(catalog, "x/b.md", tags=("blue",))
    add(catalog, "y/c.md", tags=("red",))
    assert passing(catalog, folders=("x", "/home/ada/papers/y")) == ["x/a.md", "x/b.md", "y/c.md"]
    assert passing(catalog, folders=("x", "z"), tags=("red", "green")) == ["x/a.md"]
    assert passing(catalog, tags=("red",), document_ids=("x/b.md", "y/c.md", "unknown")) == ["y/c.md"]
    assert passing(catalog, tags=("red",), types=("pdf",)) == []


def test_documents_that_pass_come_with_their_number_of_chunks(catalog: Catalog) -> None:
    chunks = [Chunk(0, 3, "one"), Chunk(4, 7, "two")]
    file = FileVersion("/home/ada/papers", "a.md", 7, 0, "hash")
    catalog.swap("a", file, Document("", "text/markdown", "one two", ()), chunks, ["1", "2"])
    add(catalog, "b.md")
    assert catalog.chunks.counts(Filters(folders=("/home",))) == {"a": 2, "b.md": 1}

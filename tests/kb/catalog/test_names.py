from kb.catalog.catalog import Catalog
from kb.catalog.names import MAX_CHUNKS_EACH, MAX_HOLDERS
from kb.values.filters import Filters
from tests.kb.catalog.catalog_harness import add, file_named


def documents_named(catalog: Catalog, *terms: str, filters: Filters | None = None) -> list[str]:
    ids = catalog.names.chunks_of_named(terms, filters or Filters())
    return sorted(chunk.document_id for chunk in catalog.chunks.by_id(ids).values())


def test_documents_are_found_by_folder_and_file_name(catalog: Catalog) -> None:
    add(catalog, "d1", "Buy paint.", file=file_named("Apollo/todo.md"))
    add(catalog, "d2", "Buy bread.", file=file_named("home/todo.md"))
    assert documents_named(catalog, "apollo") == ["d1"]
    assert documents_named(catalog, "todo") == ["d1", "d2"]
    assert documents_named(catalog, "todo", filters=Filters(folders=("home",))) == ["d2"]
    assert documents_named(catalog, "paint") == documents_named(catalog) == []


def test_a_renamed_document_is_found_by_its_new_name_alone(catalog: Catalog) -> None:
    add(catalog, "d1", "Buy paint.", file=file_named("Apollo/todo.md"))
    catalog.move("d1", file_named("Gemini/list.md"), "list")
    assert documents_named(catalog, "apollo") == []
    assert documents_named(catalog, "gemini") == ["d1"]
    catalog.remove("d1")
    assert documents_named(catalog, "gemini") == []


def test_a_name_that_many_have_tells_nothing_and_long_documents_give_their_beginning(catalog: Catalog) -> None:
    for number in range(MAX_HOLDERS + 1):
        add(catalog, f"d{number}", "text", file=file_named(f"People/{number}.md"))
    add(catalog, "long", *(f"text {number}" for number in range(30)), file=file_named("Odyssey.md"))
    assert documents_named(catalog, "peopl") == []
    assert documents_named(catalog, "odyssey") == ["long"] * MAX_CHUNKS_EACH

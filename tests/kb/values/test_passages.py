import pytest

from kb.values.passages import Passage, PassagePart


@pytest.mark.parametrize(
    ("title", "source", "name"),
    [
        ("Jane Doe", "People/Jane Doe.md", "People/Jane Doe"),
        ("todo", "Projects/Apollo/todo.md", "Projects/Apollo/todo"),
        ("todo", "todo.md", "todo"),
        ("Field manual", "manuals/pika.pdf", "Field manual"),
        ("Makefile", "src/Makefile", "src/Makefile"),
        ("v1.2", "v1.2.md", "v1.2"),
    ],
)
def test_a_document_without_a_title_of_its_own_is_called_by_its_path(title: str, source: str, name: str) -> None:
    passage = Passage(1, "d", title, source, "x", 0, 1, (PassagePart(0, 1, None, ()),), 1.0)
    assert passage.name == name

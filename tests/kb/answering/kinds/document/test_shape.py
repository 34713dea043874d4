import pytest

from kb.answering.kinds.document.shape import DEFAULT_ITEMS, Shape, shape_of
from kb.answering.understanding.form import Form


@pytest.mark.parametrize(
    ("question", "form", "shape"),
    [
        ("Summarise the visitor FAQ in three bullet points.", "list", Shape("list", 3, is_exact=True)),
        ("用五点总结访客须知", "list", Shape("list", 5, is_exact=True)),
        ("Summarise the lease.", "explanation", Shape("paragraph", DEFAULT_ITEMS["paragraph"])),
        ("In one sentence, what does the letter say?", "sentence", Shape("paragraph", 1, is_exact=True)),
        ("Give me an outline of the thesis.", "list", Shape("outline", DEFAULT_ITEMS["outline"])),
        ("给我这份报告的大纲", "list", Shape("outline", DEFAULT_ITEMS["outline"])),
        ("Summarise the plan in a table.", "table", Shape("table", DEFAULT_ITEMS["table"])),
    ],
)
def test_shape_is_read_off_the_question(question: str, form: Form, shape: Shape) -> None:
    assert shape_of(question, form, "") == shape


def test_number_in_the_name_of_the_document_is_no_number_of_points() -> None:
    assert not shape_of("Summarise chapter 3 of report 12.", "list", "Report 12\n3 Results").is_exact

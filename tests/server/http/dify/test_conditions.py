import pytest

from kb.errors import InvalidRequest
from server.http.dify.conditions import passes
from server.http.dify.schemas import MetadataCondition

METADATA = {
    "document_name": "Visitor FAQ",
    "source": "notes/faq.md",
    "tags": ["Observatory", "house"],
    "page": 12,
    "date": "2024-05-01",
    "heading": "",
}


@pytest.mark.parametrize(
    ("name", "operator", "value", "holds"),
    [
        ("document_name", "contains", "faq", True),
        ("document_name", "not contains", "faq", False),
        ("source", "start with", "notes/", True),
        ("source", "end with", ".pdf", False),
        ("document_name", "is", "visitor faq", True),
        ("document_name", "is not", "visitor faq", False),
        ("tags", "contains", "observatory", True),
        ("tags", "not contains", "house", False),
        ("tags", "in", ["kiln", "house"], True),
        ("tags", "not in", ["kiln"], True),
        ("page", "=", 12, True),
        ("page", "=", "12", True),
        ("page", "≠", 12, False),
        ("page", ">", 9, True),
        ("page", "≤", 9, False),
        ("date", "before", "2024-06-01", True),
        ("date", "after", "2024-06-01", False),
        ("heading", "empty", None, True),
        ("author", "empty", None, True),
        ("tags", "not empty", None, True),
        ("author", "is", "Ada", False),
        (["author", "source"], "contains", "faq", True),
    ],
)
def test_comparisons_are_those_of_dify(name: object, operator: str, value: object, holds: bool) -> None:
    condition = {"conditions": [{"name": name, "comparison_operator": operator, "value": value}]}
    assert passes(METADATA, MetadataCondition.model_validate(condition)) == holds


@pytest.mark.parametrize(("operator", "holds"), [("and", False), (None, False), ("or", True)])
def test_conditions_are_joined(operator: str | None, holds: bool) -> None:
    conditions = [
        {"name": "page", "comparison_operator": "=", "value": 12},
        {"name": "page", "comparison_operator": "=", "value": 13},
    ]
    joined = MetadataCondition.model_validate({"logical_operator": operator, "conditions": conditions})
    assert passes(METADATA, joined) == holds


@pytest.mark.parametrize("conditions", [None, []])
def test_without_conditions_all_count(conditions: object) -> None:
    assert passes(METADATA, None)
    assert passes(METADATA, MetadataCondition.model_validate({"conditions": conditions}))


def test_unknown_comparison_is_refused() -> None:
    condition = {"conditions": [{"name": "page", "comparison_operator": "like", "value": 1}]}
    with pytest.raises(InvalidRequest, match="like"):
        passes(METADATA, MetadataCondition.model_validate(condition))

"""What a user imports, pinned: whatever is added or taken away here is a promise made or broken."""

import pytest

import kb


def test_what_a_user_imports() -> None:
    assert sorted(kb.__all__) == [
        "Answer",
        "AskOptions",
        "Citation",
        "Filters",
        "KBError",
        "KnowledgeBase",
        "Passage",
        "Turn",
        "open_knowledge_base",
    ]


@pytest.mark.parametrize("name", kb.__all__)
def test_each_is_there_and_documented(name: str) -> None:
    thing = getattr(kb, name)
    assert thing.__name__ == name
    assert thing.__doc__


def test_nothing_else_is() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'open_library'"):
        kb.open_library  # noqa: B018

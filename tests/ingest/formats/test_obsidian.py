import pytest

from ingest.chunking.chunker import chunk
from ingest.formats.markdown import MarkdownLoader
from kb.values.documents import BlockKind, Document
from tests.ingest.chunking.made_documents import words


def read(text: str) -> Document:
    return MarkdownLoader().load("note.md", text.encode())


def pieces(text: str) -> list[str]:
    document = read(text)
    return [document.text[block.start : block.end] for block in document.blocks]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Before %%hidden%% after.", ["Before", "after."]),
        ("%%\nhidden\n\nhidden too\n%%\n\nshown", ["shown"]),
        ("- one\n- two %%hidden%%\n- three", ["- one\n- two", "- three"]),
        ("one %%never closed", ["one %%never closed"]),
        ("printf `%%` and `%%d`", ["printf `%%` and `%%d`"]),
        ("```\n%%time\n```\n\ntext %%hidden%%", ["```\n%%time\n```", "text"]),
        ("100%% sure and 50%% done", ["100%% sure and 50%% done"]),
    ],
)
def test_comments_are_in_no_block(text: str, shown: list[str]) -> None:
    assert pieces(text) == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("A thought. ^a1b2c3", ["A thought."]),
        ("- one\n- two\n\n^list-id", ["- one\n- two"]),
        ("A note.[^1]", ["A note.[^1]"]),
        ("It grows as n ^2", ["It grows as n ^2"]),
        ("```\ncode ^abc\n```", ["```\ncode ^abc\n```"]),
    ],
)
def test_marks_of_blocks_are_in_no_block(text: str, shown: list[str]) -> None:
    assert pieces(text) == shown


def test_links_embeds_marks_and_callouts_are_text_that_can_be_found() -> None:
    text = "See [[Projects/Plan|the plan]], ![[budget.xlsx]] and ==this==.\n\n> [!warning]- Beware\n> Thin ice."
    assert pieces(text) == text.split("\n\n")


def test_tags_in_the_text_are_tags() -> None:
    document = read(
        "---\ntags: [Travel]\n---\n# Not a tag\n\n#work/finance and #travel #2024 #2024年 #项目/预算 a#b C# `#code`\n\n"
        "[x](#anchor) {.a #b} &#39; #todo, #ende.\n\n```\n#include\n```\n\n- #in-list\n"
    )
    assert document.tags == ("Travel", "work/finance", "2024年", "项目/预算", "todo", "ende", "in-list")


def test_properties_are_found_where_nothing_else_tells_them() -> None:
    head = "title: X\nstatus: in review\ndue: 2025-01-03\ntags: [a]\npeople:\n  - Ann\n  - Bob\nempty:"
    text = f"---\n{head}\n---\n\nText.\n"
    assert pieces(text) == ["status: in review\ndue: 2025-01-03", "people:\n  - Ann\n  - Bob", "Text."]
    assert pieces("---\ntitle: X\nlayout: post\nnotes: []\n---\nText.") == ["Text."]


def test_a_table_keeps_all_rows_of_its_header() -> None:
    rows = ["| Region |   | 2024 |", "| Name | Code | Sales |", "|---|---|---|", "| North | N | 10 |"]
    rows += [f"| Place {n} | P{n} | {n} |" for n in range(40)]
    document = read("Sales were:\n\n" + "\n".join(rows))
    (table,) = (block for block in document.blocks if block.kind is BlockKind.TABLE)
    assert document.text[table.start : table.end] == "\n".join(rows)
    last = chunk(document, words)[-1]
    assert "2024" in last.context
    assert "Sales" in last.context
    assert "Region" not in last.text


def test_prose_right_above_a_table_stays_prose() -> None:
    assert pieces("Sales were:\n| a | b |\n|---|---|\n| 1 | 2 |") == ["Sales were:", "| a | b |\n|---|---|\n| 1 | 2 |"]

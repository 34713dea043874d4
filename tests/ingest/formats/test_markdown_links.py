import pytest

from ingest.formats.markdown import MarkdownLoader
from ingest.formats.markdown_links import place_of
from kb.values.links import Link


def links(text: str) -> list[Link]:
    return list(MarkdownLoader().load("note.md", text.encode()).links)


@pytest.mark.parametrize(
    ("text", "target", "fragment", "is_embed", "is_path"),
    [
        ("[[Plan]]", "Plan", "", False, False),
        ("[[Projects/Plan|the plan]]", "Projects/Plan", "", False, False),
        ("[[Plan#Next steps]]", "Plan", "Next steps", False, False),
        ("[[Plan#^a1b2c3|that]]", "Plan", "^a1b2c3", False, False),
        ("![[budget.xlsx]]", "budget.xlsx", "", True, False),
        ("![[map.png|300]]", "map.png", "", True, False),
        ("[[预算#第二季度]]", "预算", "第二季度", False, False),
        ("[the plan](Projects/Plan.md)", "Projects/Plan.md", "", False, True),
        ("[x](../My%20plan.md#next-steps)", "../My plan.md", "next-steps", False, True),
        ('[x](<My plan (old).md> "a title")', "My plan (old).md", "", False, True),
        ("[x](plan(1).md)", "plan(1).md", "", False, True),
        ("![a map](map.png)", "map.png", "", True, True),
        ("[plan]: ./plan.md", "./plan.md", "", False, True),
    ],
)
def test_links_to_documents(text: str, target: str, fragment: str, is_embed: bool, is_path: bool) -> None:
    start = len("See ") if not text.startswith("[plan]:") else 0
    (link,) = links(f"See {text} now." if start else text)
    assert link == Link(start, start + len(text), target, fragment, is_embed, is_path)


@pytest.mark.parametrize(
    "text",
    [
        "[x](https://example.org/plan.md) [y](mailto:a@b.c) [z](//host/plan.md) [own](#heading) [[#heading]] [[]]",
        "`[[Plan]]` and `[x](plan.md)`",
        "```\n[[Plan]]\n```",
        "%%[[Plan]]%%",
        "[ ] a task, [^1] and [x] (plan.md)",
    ],
)
def test_what_leads_to_no_document(text: str) -> None:
    assert links(text) == []


def test_links_stand_in_tables_and_properties_too() -> None:
    text = '---\nup: "[[Home]]"\n---\n| a |\n|---|\n| [[Plan\\|p]] |\n| [[Plan#Next\\|p]] |\n'
    assert [(link.target, link.fragment) for link in links(text)] == [("Home", ""), ("Plan", ""), ("Plan", "Next")]


def test_aliases_are_names_by_which_others_link() -> None:
    document = MarkdownLoader().load("n.md", b"---\naliases: [The plan, P]\nauthor: Ann\n---\nText.")
    assert document.aliases == ("The plan", "P")
    assert document.names == ("The plan", "P", "Ann")
    assert MarkdownLoader().load("n.md", b"---\nalias: P\n---\nText.").aliases == ("P",)


NOTE = "# Plan\n\n## Next *steps*, 2024 ##\n\nBuy paint. ^a1b2c3\n\n### 第二 季度\n\nMore.\n"


@pytest.mark.parametrize(
    ("fragment", "line"),
    [
        ("Next steps, 2024", "## Next *steps*, 2024 ##"),
        ("Plan#Next steps, 2024", "## Next *steps*, 2024 ##"),
        ("next-steps-2024", "## Next *steps*, 2024 ##"),
        ("第二 季度", "### 第二 季度"),
        ("^a1b2c3", "Buy paint. ^a1b2c3"),
    ],
)
def test_the_place_of_a_heading_and_of_a_block(fragment: str, line: str) -> None:
    place = place_of(NOTE, fragment)
    assert place is not None
    assert NOTE[slice(*place)] == line


def test_a_heading_that_is_not_there_has_no_place() -> None:
    assert place_of(NOTE, "Budget") is place_of(NOTE, "^zzz") is None


def test_many_brackets_cost_little() -> None:
    text = "[" * 20_000 + "\n" + "[[a]" * 20_000 + "\n" + "[" + "[x]" * 20_000 + "\n" + "[a](" * 20_000
    assert links(text) == []

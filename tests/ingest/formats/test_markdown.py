import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.formats.front_matter import read_front_matter
from ingest.formats.markdown import MarkdownLoader, PlainTextLoader
from kb.errors import UnreadableFile
from kb.values.documents import Block, BlockKind, Document

REAL_PAGES = Path(__file__).parents[3].parent / "shared" / "data" / "markdown"


@pytest.fixture
def read(tmp_path: Path):
    def read(text: str, name: str = "note.md") -> Document:
        path = tmp_path / name
        path.write_text(text, "utf-8", newline="")
        return MarkdownLoader().load(path.name, path.read_bytes())

    return read


def pieces(document: Document, kind: BlockKind | None = None) -> list[str]:
    return [document.text[b.start : b.end] for b in document.blocks if kind in (None, b.kind)]


def block_with(document: Document, text: str) -> Block:
    return next(block for block in document.blocks if text in document.text[block.start : block.end])


def test_blocks_are_exact_pieces_of_the_file(read) -> None:
    text = (
        "# Travel\n\nTrains *leave* at 8.\n\n- first\n- second\n\n> quoted\n\n"
        "```sh\nls  -l\n\npwd\n```\n\n| a | b |\n|---|---|\n| 1 | 2 |\n"
    )
    document = read(text)
    assert document.text == text
    assert [(block.kind.value, document.text[block.start : block.end]) for block in document.blocks] == [
        ("heading", "# Travel"),
        ("prose", "Trains *leave* at 8."),
        ("prose", "- first\n- second"),
        ("prose", "> quoted"),
        ("code", "```sh\nls  -l\n\npwd\n```"),
        ("table", "| a | b |\n|---|---|\n| 1 | 2 |"),
    ]


def test_windows_line_ends_do_not_move_the_offsets(read) -> None:
    document = read("\ufeff# 标题\r\n\r\n第一段。\r\n\r\n第二段。\r\n")
    assert document.text == "# 标题\n\n第一段。\n\n第二段。\n"
    assert pieces(document, BlockKind.PROSE) == ["第一段。", "第二段。"]


def test_a_block_knows_the_path_of_its_headings(read) -> None:
    document = read("# One\n\na\n\n## Two\n\nb\n\n#### Four\n\nc\n\nThree\n-----\n\nd\n\n# Other\n\ne\n")
    paths = {document.text[b.start : b.end]: b.headings for b in document.blocks if b.kind is BlockKind.PROSE}
    assert paths == {
        "a": ("One",),
        "b": ("One", "Two"),
        "c": ("One", "Two", "Four"),
        "d": ("One", "Three"),
        "e": ("Other",),
    }
    assert block_with(document, "Three").headings == ("One", "Three")
    assert pieces(document, BlockKind.HEADING)[3] == "Three\n-----"


@pytest.mark.parametrize(
    ("line", "title"),
    [
        ("# **Bold** and `code`", "Bold and code"),
        ("# See [the guide](https://example.org) &amp; more", "See the guide & more"),
        ("# Install { #install-it .wide }", "Install"),
        ("# ![logo](logo.png) Name <br> of it #", "logo Name of it"),
        ("# 关于 *我们*", "关于 我们"),
        ("# Sets {1, 2}", "Sets {1, 2}"),
    ],
)
def test_markup_is_stripped_from_headings(read, line: str, title: str) -> None:
    document = read(f"{line}\n\ntext\n")
    assert document.blocks[0].headings == (title,)
    assert document.title == title


def test_headings_in_quotations_and_code_open_no_section(read) -> None:
    document = read("# Top\n\n> # Quoted\n\n```\n# comment\n```\n\ntext\n")
    assert {block.headings for block in document.blocks} == {("Top",)}


def test_front_matter_gives_title_tags_and_date_and_is_in_no_block(read) -> None:
    document = read(
        "---\ntitle: Trip to 北京\ntags: [travel, '#rail', 2024]\ndate: 2024-05-01\n---\n\n# Heading\n\nText.\n"
    )
    assert (document.title, document.has_own_title) == ("Trip to 北京", True)
    assert document.tags == ("travel", "rail", "2024")
    assert document.date == datetime.date(2024, 5, 1)
    assert pieces(document) == ["# Heading", "Text."]


@pytest.mark.parametrize(
    ("yaml", "tags", "date"),
    [
        ("tags: a, b ,a", ("a", "b"), None),
        ("tags: 旅行、铁路", ("旅行", "铁路"), None),
        ("tags: {a: 1}", (), None),
        ("date: 2024-05-01T10:00:00Z", (), datetime.date(2024, 5, 1)),
        ("date: '2024/5/1'", (), datetime.date(2024, 5, 1)),
        ("date: 2024年5月1日", (), datetime.date(2024, 5, 1)),
        ("date: '2024/13/41'", (), None),
        ("date: yesterday", (), None),
        ("title: ''", (), None),
    ],
)
def test_front_matter_is_read_in_the_forms_people_write(
    yaml: str, tags: tuple[str, ...], date: datetime.date | None
) -> None:
    front_matter = read_front_matter(f"---\n{yaml}\n---\ntext\n")
    assert (front_matter.tags, front_matter.date) == (tags, date)
    assert front_matter.end == len(yaml) + 9


def test_front_matter_in_toml_is_read_like_yaml(read) -> None:
    document = read(
        '+++\n# of the site\ntitle = "Trip to 北京"\ntags = ["travel", "#rail"]\ndate = 2024-05-01T10:00:00Z\n'
        'aliases = ["Jingcheng"]\n[params]\nmath = true\n+++\n\n# Heading\n\nText.\n'
    )
    assert (document.title, document.has_own_title) == ("Trip to 北京", True)
    assert (document.tags, document.date) == (("travel", "rail"), datetime.date(2024, 5, 1))
    assert document.names == ("Jingcheng",)
    assert pieces(document) == ["# Heading", "Text."]


@pytest.mark.parametrize(
    ("yaml", "names"),
    [
        ("aliases: [Dome 2, Kuppel]\nauthor: Ann Smith", ("Dome 2", "Kuppel", "Ann Smith")),
        ("aliases: Kuppel", ("Kuppel",)),
        ("author: Smith, Ann", ("Smith, Ann",)),
        ("authors:\n- name: Ann\n  place: here\n- 李雷\n- {}", ("Ann", "李雷")),
        ("title: Dome\naliases: [dome, Kuppel, Kuppel]", ("Kuppel",)),
        ("aliases:\nauthor: []", ()),
    ],
)
def test_aliases_and_authors_are_names_of_the_document(yaml: str, names: tuple[str, ...]) -> None:
    assert read_front_matter(f"---\n{yaml}\n---\ntext\n").names == names


def test_broken_front_matter_in_toml_is_passed_over(read) -> None:
    document = read("+++\ntitle = Trip\n+++\n\n# Real title\n\nText.\n")
    assert document.title == "Real title"
    assert pieces(document) == ["# Real title", "Text."]


def test_broken_front_matter_is_passed_over(read) -> None:
    document = read("---\ntitle: a: b\n---\n\n# Real title\n\nText.\n")
    assert document.title == "Real title"
    assert pieces(document) == ["# Real title", "Text."]


@pytest.mark.parametrize(
    "text",
    ["---\nJust prose\nbetween rules.\n\n---\n\nMore.\n", "---\ntitle: never closed\n", "+++\nJust\nprose.\n+++\n"],
)
def test_what_is_not_front_matter_stays_text(read, text: str) -> None:
    assert read_front_matter(text).end == 0
    assert "".join(pieces(read(text))).count("\n") >= 1 or "never closed" in pieces(read(text))[0]


@pytest.mark.parametrize(
    "yaml", ["a: " + "[" * 3000, "x: &a [*a]\ntags: *a", "date: 2024-02-31", "? [1, 2]\n: 3", 'title: "\\ud800"']
)
def test_hostile_front_matter_does_no_harm(read, yaml: str) -> None:
    read(f"---\n{yaml}\n---\n\ntext\n").title.encode()


@pytest.mark.parametrize(
    "toml", ["a = " + "[" * 9000, "date = 2024-02-31", 'title = "\\ud800"', "a.b = 1\na = 2", "=", "a = 1_"]
)
def test_hostile_front_matter_in_toml_does_no_harm(read, toml: str) -> None:
    read(f"+++\n{toml}\n+++\n\ntext\n").title.encode()


def test_the_title_is_the_first_level_one_heading_or_the_file_name(read) -> None:
    assert read("## Small\n\ntext\n\n# Big\n\n# Bigger\n").title == "Big"
    untitled = read("## Small\n\ntext\n", "会议 记录.md")
    assert (untitled.title, untitled.has_own_title) == ("会议 记录", False)


def test_comments_and_rules_are_in_no_block_but_other_html_is(read) -> None:
    document = read("one\n\n<!-- hidden\n\nnote -->\n\n---\n\n<div>\nshown\n</div>\n")
    assert pieces(document) == ["one", "<div>\nshown\n</div>"]


def test_a_long_list_is_cut_into_its_items(read) -> None:
    items = [f"- item {n}: " + "word " * 20 + "\n  - nested" for n in range(30)]
    document = read("\n".join(items) + "\n")
    assert pieces(document) == items


def test_link_definitions_can_be_found(read) -> None:
    assert pieces(read("See [it].\n\n[it]: https://example.org/guide\n"))[1] == "[it]: https://example.org/guide"


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf"])
def test_an_empty_file_says_so(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "empty.md"
    path.write_bytes(content)
    with pytest.raises(UnreadableFile, match="empty"):
        MarkdownLoader().load(path.name, path.read_bytes())


def test_plain_text_is_read_without_markup(tmp_path: Path) -> None:
    path = tmp_path / "readme.txt"
    path.write_text("# not a heading\nline\n   \n\n  second - paragraph\n")
    document = PlainTextLoader().load(path.name, path.read_bytes())
    assert pieces(document) == ["# not a heading\nline", "second - paragraph"]
    assert {block.headings for block in document.blocks} == {()}
    assert (document.title, document.media_type) == ("readme", "text/plain")


_lines = st.sampled_from(
    ["", "text", "# H", "## 二级", "- item", "  - nested", "1. one", "> q", "```", "    code", "| a | b |", "|---|---|"]
) | st.sampled_from(
    ["", "---", "===", "<!-- c -->", "<div>", "[x]: y", "\ttab", "***", "a  ", "&amp;", "\u2028", "\x0c"],
)


@given(st.lists(_lines, max_size=25).map("\n".join))
def test_blocks_hold_all_text_but_rules_and_comments(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    if not text.strip():
        return
    path = tmp_path_factory.getbasetemp() / "any.md"
    path.write_text(text, "utf-8", newline="")
    document = MarkdownLoader().load(path.name, path.read_bytes())
    end = read_front_matter(document.text).end
    for block in document.blocks:
        assert end <= block.start < block.end
        assert not (skipped := document.text[end : block.start]).strip() or _is_skipped(skipped), skipped
        assert document.text[block.start : block.end] == document.text[block.start : block.end].strip()
        end = block.end
    assert _is_skipped(document.text[end:])


def _is_skipped(text: str) -> bool:
    return all(not line.strip("-=* \t\x0c\u2028") or line.strip() == "<!-- c -->" for line in text.split("\n"))


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the collection of real pages is not here")
def test_real_pages_have_titles_headings_and_blocks() -> None:
    for path in sorted(REAL_PAGES.rglob("*.md")):
        document = MarkdownLoader().load(path.name, path.read_bytes())
        assert document.blocks
        assert all(block.headings for block in document.blocks if block.kind is BlockKind.HEADING)
        assert document.has_own_title
        assert "{ #" not in document.title

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.citing.markers import MarkerFilter


def filtered(*pieces: str) -> str:
    markers = MarkerFilter()
    return "".join([*map(markers.feed, pieces), markers.flush()])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "It opens at nine [1]. It is green[2], they say [3] and so on.",
            "It opens at nine. It is green, they say and so on.",
        ),
        ("圆顶九点打开[1]。它由布兰特建造【2】，耗资（来源：3）。", "圆顶九点打开。它由布兰特建造，耗资。"),
        ("Nine (Source 2).", "Nine."),
        ("Nine [Source 3: guide.md], it says.", "Nine, it says."),
        ("Nine [1][2] [3, 4].", "Nine."),
        ("Nine 【1†source】.", "Nine."),
        ("Nine [^1].", "Nine."),
        ("Nine.[1]\n\nTen.[2]", "Nine.\n\nTen."),
        ("[1] Nine.\n[2] Ten.", "Nine.\nTen."),
        ("Nine [99].", "Nine."),
        ("[1]", ""),
        ("It opens at nine (sources 1 and 2).", "It opens at nine."),
        ("Nine [Source 1; Source 2].", "Nine."),
        ("Nine (see source 1).", "Nine."),
        ("九点打开（资料1和资料2）。", "九点打开。"),
        ("九点打开（参见来源：资料1）。", "九点打开。"),
    ],
)
def test_marks_of_sources_are_taken_out(text: str, expected: str) -> None:
    assert filtered(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "a[1] = 2",
        "`args [1].`",
        "```python\nx = y [1]\nz[2]\n```",
        "See [the guide](guide.md) and [1](guide.md).",
        "He said [sic] so.",
        "x lies in [0, 1].",
        "x lies in the interval [1, 2].",
        "In the year [2024].",
        "The kernel has shape [3, 3] by default.",
        "[3, 3] is its size.",
        "Press [1] now.",
        "按 [1] 键继续。",
        "(see the second chapter)",
        "- [ ] open\n- [x] closed",
        "open (maybe) at nine (or ten)",
        "The source (2) is old.",
        "names[1] + names[2]",
        "[2nd floor]",
        "",
    ],
)
def test_what_only_looks_alike_stays(text: str) -> None:
    assert filtered(text) == text


def test_code_ends_and_marks_behind_it_are_taken_out() -> None:
    assert filtered("Run `a [1]` now [1].\n```\nb [2]\n```\nDone [2].") == "Run `a [1]` now.\n```\nb [2]\n```\nDone."
    assert filtered("A lone ` tick [1]\nand [2].") == "A lone ` tick [1]\nand."


def test_all_blanks_behind_a_mark_at_the_start_of_a_line_go_with_it() -> None:
    assert filtered("[1]  Nine.") == filtered(*"[1]  Nine.") == "Nine."


def test_text_comes_out_as_soon_as_it_is_certain() -> None:
    markers = MarkerFilter()
    assert markers.feed("It opens at nine [") == "It opens at nine"
    assert markers.feed("1") == ""
    assert markers.feed("]") == ""
    assert markers.feed(". It") == ". It"
    assert markers.feed(" [seen") == " [seen"
    assert markers.flush() == ""


PIECES = st.lists(
    st.sampled_from(
        [
            *"[]【】()（）`\n ,.1aA。",
            "[1]",
            "[12]",
            "【2】",
            "(Source 3)",
            "(see source 1)",
            "（资料1和资料2）",
            "来源",
            "```\n",
            "nine",
            "[1](x)",
            "[0, 1]",
            "a[1]",
        ]
    ),
    max_size=25,
)


@given(PIECES, st.lists(st.integers(0, 60), max_size=6))
def test_how_the_text_is_cut_changes_nothing(pieces: list[str], cuts: list[int]) -> None:
    text = "".join(pieces)
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    assert filtered(*(text[a:b] for a, b in pairwise(places))) == filtered(text)
    assert filtered(*text) == filtered(text)

import json

import pytest

from server.terminal.cleaning import as_typed, on_one_line, printable, printable_json

HARMLESS = "Ein Schloß, 第二座圆顶 🏛️, a\tb\nשלום [31m :smile: \N{LEFT-TO-RIGHT MARK}"


def test_text_that_does_nothing_stays_as_it_is() -> None:
    assert printable(HARMLESS) == HARMLESS


@pytest.mark.parametrize(
    "harmful",
    [
        "\x1b[31m",
        "\x1b[?1049h",
        "\x1b[2J\x1b[H",
        "\x9b1A",
        "\x1b]0;title\x07",
        "\x1b]52;c;ZXZpbA==\x1b\\",
        "\x1bP1$r\x1b\\",
        "\x1bc",
        "\x1b(0",
        "\x1b",
        "\x00\x07\x08\r\x7f\x85",
        "\N{RIGHT-TO-LEFT OVERRIDE}\N{POP DIRECTIONAL FORMATTING}\N{RIGHT-TO-LEFT ISOLATE}",
        "\ud800\udcff",
    ],
)
def test_what_a_terminal_would_obey_or_a_reader_not_see_is_removed(harmful: str) -> None:
    assert printable(f"before{harmful} after") == "before after"
    assert as_typed(f"before{harmful.replace(chr(13), '').replace(chr(133), '')} after") == "before after"


def test_sequence_that_comes_in_pieces_or_has_no_end_is_harmless() -> None:
    assert "\x1b" not in printable("red \x1b") + printable("[31m")
    assert printable("a \x1b]0;a title that never ends, 然后呢") == "a 0;a title that never ends, 然后呢"


def test_what_is_typed_is_one_line_composed_and_without_space_around_it() -> None:
    assert as_typed("  Was\tis\r\nthis\u2028cafe\N{COMBINING ACUTE ACCENT}? \n") == "Was is this café?"
    assert as_typed("那它是什么时候开的？\n") == "那它是什么时候开的？"
    assert as_typed("\x00\x1b[A \n") == ""


def test_name_is_one_line_and_is_what_it_looks_like() -> None:
    assert (
        on_one_line("a.md\nerror: all is lost\u2028 \u202egpj.\u200e\u061c\ufeffexe")
        == "a.md error: all is lost  gpj.exe"
    )
    assert on_one_line("می\u200cخواهم 👨\u200d👩.md") == "می\u200cخواهم 👨\u200d👩.md"


def test_json_says_the_same_without_anything_that_a_terminal_would_obey() -> None:
    value = {"name": "a\x1b[31m\x9b\u202e手册\n.md"}
    written = printable_json(json.dumps(value, ensure_ascii=False, indent=2))
    assert json.loads(written) == value
    assert not {"\x1b", "\x9b", "\u202e"} & set(written)
    assert "手册" in written

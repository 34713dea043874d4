"""Texts that were made to hurt who decodes, parses, cuts or counts them; the same bytes at each run."""

import codecs
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

_LIGATURE = "\ufdfa"  # one character, which compatibility normalisation makes eighteen of
_CHINESE = (
    "站务会议决定更换第三号灯塔的电池，并在雨季之前修好通往码头的木桥。",
    "茶叶要在三天之内焙干，否则香气会散去，来年的价钱也就低了。",
    "管理员说，望远镜的镜片每个月擦拭一次，用的是蒸馏水和细棉布。",
)
_CHINESE_CHARS = 19_500_000
_SPARSE_BYTES, _NUL_BYTES = 2_000_000_000, 40_000_000


def _repeated(text: str, count: int, encoding: str = "utf-8", mark: bytes = b"") -> Callable[[Path], object]:
    return lambda path: path.write_bytes(mark + (text * count).encode(encoding))


def _sparse(size_bytes: int) -> Callable[[Path], object]:
    def write(path: Path) -> None:
        with path.open("wb") as file:
            file.truncate(size_bytes)

    return write


def _write_chinese(path: Path) -> None:
    """Ordinary sentences, but each with a number of its own, so that no two chunks are the same."""
    with path.open("w", encoding="utf-8") as file:
        written = number = 0
        while written < _CHINESE_CHARS:
            block = "".join(f"{_CHINESE[n % 3][:-1]}{n}。" for n in range(number, number + 1000))
            number += 1000
            written += file.write(block[: _CHINESE_CHARS - written])


def _write_yaml_bomb(path: Path) -> None:
    lines = ["a: &a [" + ", ".join(["lol"] * 10) + "]"]
    lines += [f"{name}: &{name} [{', '.join(['*' + before] * 10)}]" for before, name in pairwise("abcdefghij")]
    path.write_text("---\n" + "\n".join([*lines, "title: *j", "tags: *j", "aliases: *j"]) + "\n---\n\nA dome.\n")


def _write_references(path: Path) -> None:
    path.write_text("".join(f'[dome{n}]: /dome/{n} "Dome {n}"\n' for n in range(100_000)) + "\n[dome7]\n")


def _write_table(path: Path) -> None:
    row = "| " + " | ".join(f"c{n}" for n in range(5000)) + " |\n"
    path.write_text(row + "|" + "---|" * 5000 + "\n" + row * 20)


TEXTS: dict[str, Callable[[Path], object]] = {
    "one-line.txt": _repeated("the lantern of the dome ", 15_000_000 // 24),
    "one-word.txt": _repeated("dome", 1_000_000),
    "digits.txt": _repeated("1234567890", 200_000),
    "arabic.txt": _repeated(_LIGATURE * 40 + "\n", 100_000),
    "chinese.txt": _write_chinese,
    "combining.md": _repeated("e" + "\u0301\u0323" * 5000 + "\n\n", 20),
    "bidi.md": _repeated(
        "\u202eshalom \u05e9\u05dc\u05d5\u05dd\u202c \u2067\u0645\u0631\u062d\u0628\u0627\u2069 ", 10_000
    ),
    "families.txt": _repeated("\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466\u200d", 20_000),
    "tibetan.txt": _repeated("བོད་ཀྱི་སྐད་ཡིག་", 30_000),
    "thai.txt": _repeated("หอดูดาวซ่อมในเดือนมีนาคม", 20_000),
    "surrogates.md": lambda path: path.write_bytes(b"# Half\n\nA dome \xed\xa0\xbd\xed\xb8\x80 \xed\xa0\x80.\n" * 5000),
    "utf-16-marked.txt": _repeated("The dome was painted. 圆顶。\n", 500, "utf-16-le", codecs.BOM_UTF16_LE),
    "utf-16-bare.txt": _repeated("The dome was painted green.\n", 500, "utf-16-be"),
    "utf-32-marked.txt": _repeated("The dome was painted blue.\n", 500, "utf-32-be", codecs.BOM_UTF32_BE),
    "utf-32-bare.txt": _repeated("The dome was painted red.\n", 500, "utf-32-le"),
    "gb18030.txt": _repeated("".join(_CHINESE) + "\n", 300, "gb18030"),
    "latin-1.txt": _repeated("Die Kuppel über dem Südflügel wurde größer.\n", 300, "latin-1"),
    "nul.md": lambda path: path.write_bytes(b"# Nul\n\nA dome\0 with a \0 hole.\n" + b"The dome is green.\n" * 500),
    "line-ends.txt": _repeated("dome\r\n\r\u2028\u2029\x0b\x0c\x85", 20_000),
    "lists.md": lambda path: path.write_text("- " * 10_000 + "The innermost dome.\n"),
    "quotes.md": lambda path: path.write_text(">" * 50_000 + " The innermost dome.\n"),
    "columns.md": _write_table,
    "brackets.md": _repeated("[", 200_000),
    "emphasis.md": _repeated("*a **b ", 100_000),
    "backticks.md": lambda path: path.write_text("".join("`" * n + " dome " for n in range(1500))),
    "tags.md": _repeated("<div><b>\n\n", 100_000),
    "references.md": _write_references,
    "heading-of-links.md": lambda path: path.write_text("# " + "[a](" * 50_000 + "\n\nA dome.\n"),
    "heading-of-stars.md": lambda path: path.write_text("# " + "*a **b " * 50_000 + "\n\nA dome.\n"),
    "headings.md": _repeated("# Dome\n", 200_000),
    "fence.md": _repeated("```\nunclosed = dome()\n\n", 50_001),
    "yaml-bomb.md": _write_yaml_bomb,
    "deep-yaml.md": lambda path: path.write_text("---\ntitle: " + "[" * 20_000 + "\n---\n\nA dome.\n"),
    "unclosed-front-matter.md": lambda path: path.write_text("---\n" + "key: value\n" * 100_000),
    "sparse.md": _sparse(_SPARSE_BYTES),
    "sparse-nul.txt": _sparse(_NUL_BYTES),
    "empty.md": _repeated("", 0),
    "one-byte.txt": _repeated("x", 1),
}
"""Makes each of them at a path of this name."""

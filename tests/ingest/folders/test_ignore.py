import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ingest.folders.ignore import IgnoreRules
from ingest.folders.listing import list_files

TREE = (
    "a.md",
    "b.md",
    "ab.md",
    "[a].md",
    "!a.md",
    "#a.md",
    "a b.md",
    " a.md",
    "a/a.md",
    "a/b.md",
    "a/b/a.md",
    "a/b/c/a.md",
    "a/b/c/b.md",
    "a/a/a/a.md",
    "b/a.md",
    "b/a/b.md",
    "b/ab/c.md",
    "ab/a.md",
    "ab/c/a.md",
    "c.md/a.md",
    "c.md/b/c.md",
)

TABLE = {
    "a name holds in each folder": {"": "a.md"},
    "a name holds for folders with all that is in them": {"": "b"},
    "a slash at the end means folders": {"": "c.md/\na.md/"},
    "a slash at the start ties to the folder": {"": "/a.md"},
    "a slash inside ties to the folder": {"": "a/b.md\nb/a"},
    "the last line wins": {"": "*.md\n!a.md\n[ab].md\n!b.md"},
    "what is in an ignored folder stays out": {"": "a/\n!a/a.md"},
    "what is in a folder that is entered comes back": {"": "/*\n!/a/\n/a/*\n!/a/b/"},
    "all below, but not the folder": {"": "a/**\n!a/a.md"},
    "all below, folder by folder": {"": "a/**\n!a/**/\n!a/**/b.md"},
    "an unignored folder does not bring back what other lines keep out": {"": "*.md\n!ab"},
    "the same across files": {"": "a.md", "b": "!a"},
    "stars for folders in front": {"": "**/b/a.md\n**/c"},
    "stars for folders between": {"": "a/**/a.md"},
    "stars for folders between that go back": {"": "a/**/a/a.md\na/**/b/**/a.md"},
    "stars for folders at the end": {"": "/b/**"},
    "stars for folders only": {"": "a/**/"},
    "everything": {"": "*\n!*/\n!b.md"},
    "everything twice": {"": "**\n!**/\n!a.md"},
    "everything below": {"": "*/**"},
    "all folders": {"": "*/"},
    "all folders of a folder": {"a": "/*/"},
    "three stars": {"": "***/b.md\na/***"},
    "stars that are meant": {"": "\\*\\**\na/\\*\\*\n[**]*.md"},
    "stars within a name": {"": "a**.md\n/a/*b*.md"},
    "many stars": {"": "*a*.*m*d*\n/*b*/*b*.*d"},
    "question marks": {"": "?b.md\na?b.md\n?/b.md"},
    "sets": {"": "[ab].md\n!/[!a].md\nb/[^b]/*.md"},
    "sets do not match slashes": {"": "a[!x]a.md\na[+-9]b.md\n**/b[!x]a.md"},
    "set with a bracket": {"": "[]a[]*.md"},
    "set with a dash": {"": "[a-]*.md"},
    "backslashes": {"": "\\!a.md\n\\#a.md\n\\[a\\].md\n\\b.md"},
    "marks": {"": "#a.md\n!a.md\n!!a.md"},
    "spaces at the end": {"": "a.md   \nb\\ \na b.md\\"},
    "spaces elsewhere": {"": " a.md\na b.md"},
    "tabs": {"": "a.md\t\n\tb.md"},
    "line ends": {"": "a.md\r\n\r\nb\r\n"},
    "byte order mark": {"": "\ufeffa.md\n"},
    "form feed and other line ends are none": {"": "a.md\x0cb.md\na.md\u2028b.md"},
    "empty lines": {"": "\n  \n!\n/\n!/\na.md"},
    "too many slashes": {"": "//a.md\na//b.md\nb//\n///"},
    "no such thing": {"": "[a.md\n[z-a].md\na\\"},
    "deeper files win": {"": "a.md\nb.md", "a": "!a.md", "a/b": "a.md", "b": "!b.md\n/a/"},
    "deeper files are tied to their folder": {"a": "/b.md\nb/c\na/b/", "b": "a/*"},
    "an ignored folder's own file is not read": {"": "/a/", "a": "!*"},
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    root = tmp_path_factory.mktemp("tree")
    for name in TREE:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    git(root, "init", "--quiet")
    return root


def git(root: Path, *arguments: str) -> str:
    # no settings of the user's, and nothing that git believes to be around this folder
    environment = {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}
    return subprocess.run(
        ["git", *arguments], cwd=root, env=environment, check=True, capture_output=True
    ).stdout.decode()


def write_rules(root: Path, rules: dict[str, str]) -> None:
    for old in root.rglob(".kbignore"):
        old.unlink()
    for folder, text in rules.items():
        (root / folder / ".kbignore").write_bytes(text.encode())


def kept_by_git(root: Path) -> set[str]:
    listed = git(root, "ls-files", "--others", "--exclude-per-directory=.kbignore", "-z")
    return {name for name in listed.split("\0") if name.endswith(".md")}


def kept_by_us(root: Path) -> set[str]:
    return {file.source for file in list_files(root).files}


@pytest.mark.parametrize("rules", TABLE.values(), ids=TABLE)
def test_rules_mean_what_they_mean_to_git(tree: Path, rules: dict[str, str]) -> None:
    write_rules(tree, rules)
    assert kept_by_us(tree) == kept_by_git(tree)


PIECES = st.sampled_from(
    [
        "a",
        "b",
        "c",
        ".md",
        "a.md",
        "b.md",
        "/",
        "/",
        "/",
        "*",
        "**",
        "**/",
        "/**",
        "?",
        "[ab]",
        "[!a]",
        "[^b]",
        "[+-9]",
        "\\a",
        "\\*",
        " ",
        "#",
    ]
)
LINES = st.builds(
    lambda mark, pieces: mark + "".join(pieces), st.sampled_from(["", "", "!"]), st.lists(PIECES, max_size=6)
)
TEXTS = st.lists(LINES, max_size=5).map("\n".join)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow])
@given(top=TEXTS, inner=TEXTS)
def test_any_rules_mean_what_they_mean_to_git_or_are_reported(tree: Path, top: str, inner: str) -> None:
    write_rules(tree, {"": top, "a": inner})
    if not list_files(tree).troubles:
        assert kept_by_us(tree) == kept_by_git(tree)


@pytest.mark.parametrize(
    ("line", "reason"),
    {
        "[a.md": "has no ]",
        "a[b/c].md": "has no ]",
        "[z-a].md": "cannot be understood",
        "[[:alpha:]].md": "cannot be understood",
        "[[a].md": "cannot be understood",
        "[\\]a].md": "cannot be understood",
        "[!--a].md": "cannot be understood",
        "[a&&b].md": "cannot be understood",
        "a\\/b": "cannot be understood",
        "a//b": "between two /",
        "a\\": "nothing follows",
        "a**/b": "should be * or stand alone",
    }.items(),
)
def test_line_that_is_not_understood_is_reported_and_the_others_hold(line: str, reason: str) -> None:
    rules, problem = IgnoreRules().extended(0, f"a.md\n{line}\nb.md".encode())
    assert problem.startswith("line 2: ")
    assert reason in problem
    assert "more)" not in problem
    assert rules.ignores(["a.md"], is_folder=False)
    assert rules.ignores(["b.md"], is_folder=False)


def test_first_of_many_wrong_lines_is_reported() -> None:
    _, problem = IgnoreRules().extended(0, b"[\n" * 1000)
    assert problem == "line 1: a [ in [ has no ] (and 999 more)"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_rules_may_be_written_in_other_encodings(encoding: str) -> None:
    rules, problem = IgnoreRules().extended(0, "# 不要索引这些文件\n草稿/\n会议记录*.md\n".encode(encoding))
    assert not problem
    assert rules.ignores(["草稿"], is_folder=True)
    assert rules.ignores(["项目", "会议记录一.md"], is_folder=False)
    assert not rules.ignores(["项目"], is_folder=True)


def test_a_question_mark_stands_for_a_character_and_not_for_a_byte() -> None:
    rules, _ = IgnoreRules().extended(0, "草?.md".encode())
    assert rules.ignores(["草稿.md"], is_folder=False)


def test_what_is_no_text_is_reported() -> None:
    rules, problem = IgnoreRules().extended(0, bytes(range(256)))
    assert rules == IgnoreRules()
    assert "not text" in problem


@pytest.mark.parametrize(
    "hostile",
    [
        b"*a*a*a",
        b"*a*a*ac\n" * 1_000,
        b"*a" * 2_000,
        b"*a*a*a*a?*c\n" * 1_000,
        (b"*" + b"?" * 120 + b"a*c\n") * 1_000,
        b"**/a/" * 800 + b"b",
        b"x" * 900_000,
        b"*" * 4_000 + b"y",
        (b"[" * 4_000 + b"\n") * 200,
        b"[a]" * 1_300,
        b"\\a" * 2_000,
        (b" " * 4_000 + b"x\n") * 200,
        b"/a" * 2_000,
        b"a\n" * 450_000,
        b"*a*b/c\n" * 100_000,
        b"[\n" * 450_000,
    ],
    ids=lambda data: f"{data[:6]!r}",
)
def test_rules_made_to_be_slow_are_not(hostile: bytes) -> None:
    began = time.process_time()
    rules, _ = IgnoreRules().extended(0, hostile)
    assert not rules.ignores([*("a" * 100), "a" * 254 + "b"], is_folder=False)
    assert time.process_time() - began < 2


def test_rules_beyond_the_thousandth_are_reported_as_not_heeded() -> None:
    rules, problem = IgnoreRules().extended(0, b"".join(b"# comment\n\nname%d\n" % number for number in range(1_001)))
    assert problem == "line 3003: only 1,000 lines are heeded"
    assert rules.ignores(["name999"], is_folder=False)
    assert not rules.ignores(["name1000"], is_folder=False)
    assert IgnoreRules().extended(0, b"name\n" * 1_000 + b"\n# end\n")[1] == ""

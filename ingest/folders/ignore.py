"""What `.kbignore` files keep out of the index: the rules of `.gitignore`.

Each line is understood as git understands it, or reported. `fnmatch` translates the names in a pattern, so that nothing
is tried twice behind a star that has found its place; which folder a pattern holds for and which pattern has the last
word is decided here, one file or folder at a time, as git does it. Two things are meant for people: characters are
counted, not bytes; other encodings than UTF-8 are read too.
"""

import fnmatch
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ingest.formats.encoding import decode
from kb.errors import UnreadableFile

IGNORE_FILE = ".kbignore"

MAX_IGNORE_FILE_BYTES = 1_000_000

MAX_LINES = 1_000
"""In one file, without comments. Each of them is asked about each file."""

_MAX_LINE_CHARS = 4_096
"""PATH_MAX of Linux: what is longer is the path of no file."""

_BEFORE_SPACES_AT_END = re.compile(r"((?:\\.|[^\\ ]| ++(?!\Z))*+) *")
_SPECIAL = re.compile(r"\\(.?)|\[([!^]?)(\]?[^\]]*)\]|\[", re.DOTALL)
_FOREIGN_IN_BRACKET = re.compile(r"^\[|\[[:.=]|\\|--|&&|\|\||~~")  # these mean something else to regular expressions
_NOTHING = re.compile("(?!)")
_STARS = re.compile(r"(\\.)|\*+")


@dataclass(frozen=True, slots=True)
class IgnoreRules:
    """The rules that hold in a folder: those of its own file before those of the folders above it.

    Attributes:
        levels: For each file, innermost first: how many folders below the root it lies, and its rules, last one first.
    """

    levels: tuple[tuple[int, tuple["_Rule", ...]], ...] = ()

    def extended(self, depth: int, data: bytes) -> tuple["IgnoreRules", str]:
        """These rules and those of a file in a folder that they hold for.

        Args:
            depth: How many folders below the root the file lies.
            data: Its bytes.

        Returns:
            The rules, and what is wrong with the file: empty if nothing is. Lines that are right hold all the same.
        """
        try:
            lines = decode(data).split("\n")
        except UnreadableFile as error:
            return self, error.message
        rules: list[_Rule] = []
        wrong: list[str] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip() or line.startswith("#"):
                continue
            if len(rules) + len(wrong) == MAX_LINES:
                wrong.append(f"line {number}: only {MAX_LINES:,} lines are heeded")
                break
            try:
                if rule := _parse(line):
                    rules.append(rule)
            except ValueError as error:
                wrong.append(f"line {number}: {error}")
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        extended = IgnoreRules(((depth, tuple(reversed(rules))), *self.levels)) if rules else self
        return extended, wrong[0] + more if wrong else ""

    def ignores(self, names: Sequence[str], is_folder: bool, check: Callable[[], None] = lambda: None) -> bool:
        """Whether a file or folder is to be passed over, where none of the folders that hold it is.

        Args:
            names: Its path below the root.
            check: Called before each rule.
        """
        for depth, rules in self.levels:
            below = names[depth:]
            for rule in rules:
                check()
                if rule.matches(below, is_folder):
                    return rule.ignores
        return False


@dataclass(frozen=True, slots=True)
class _Rule:
    """One line.

    Attributes:
        ignores: False where the line begins with `!`.
        only_folders: The line ends with `/`.
        name: Where the line is one name, which may stand in any folder.
        path: Else one pattern for each part of the path; None, which is `**`, for any number of parts.
    """

    ignores: bool
    only_folders: bool
    name: re.Pattern[str] | None
    path: tuple[re.Pattern[str] | None, ...] = ()

    def matches(self, names: Sequence[str], is_folder: bool) -> bool:
        if self.only_folders and not is_folder:
            return False
        return self.name.fullmatch(names[-1]) is not None if self.name else _match(self.path, names)


def _match(globs: Sequence[re.Pattern[str] | None], names: Sequence[str]) -> bool:
    """Goes back to the last `**` alone, which is enough: an earlier one could only take what this one can take too."""
    glob_at = name_at = 0
    retry_glob_at, retry_name_at = -1, 0
    while name_at < len(names):
        glob = globs[glob_at] if glob_at < len(globs) else _NOTHING
        if glob is None:
            retry_glob_at, retry_name_at = glob_at, name_at
            glob_at += 1
        elif glob.fullmatch(names[name_at]):
            glob_at, name_at = glob_at + 1, name_at + 1
        elif retry_glob_at >= 0:
            retry_name_at += 1
            glob_at, name_at = retry_glob_at + 1, retry_name_at
        else:
            return False
    return glob_at == len(globs)


def _parse(line: str) -> _Rule | None:
    """The rule that a line stands for; None if for none.

    Raises:
        ValueError: The line is not understood.
    """
    if len(line) > _MAX_LINE_CHARS:
        raise ValueError(f"it has more than {_MAX_LINE_CHARS:,} characters")
    trimmed = _BEFORE_SPACES_AT_END.fullmatch(line)
    if trimmed is None:
        raise ValueError("nothing follows the last \\")
    text = trimmed[1]
    ignores = not text.startswith("!")
    text = text.removeprefix("!")
    only_folders = text.endswith("/")
    text = text.removesuffix("/")
    if not text:
        return None
    if "/" not in text:
        return _Rule(ignores, only_folders, _glob(text))
    parts = text.removeprefix("/").split("/")
    path = [_glob_of_path(part) for part in parts]
    if path[-1] is None:
        path.append(_glob("*"))  # what is in the folder, not the folder itself
    return _Rule(ignores, only_folders, None, tuple(path))


def _glob_of_path(part: str) -> re.Pattern[str] | None:
    stars = [found for found in _STARS.finditer(part) if len(found[0]) > 1 and not found[1]]
    if stars and stars[0][0] == part:
        return None
    if stars:  # to git, it depends on what stands before them whether these match a slash
        raise ValueError(f"** in {part:.40} should be * or stand alone")
    return _glob(part)


@lru_cache(2 * MAX_LINES)
def _glob(part: str) -> re.Pattern[str]:
    """What matches one name."""
    if not part:
        raise ValueError("there is nothing between two /")
    return re.compile(fnmatch.translate(_SPECIAL.sub(lambda found: _for_fnmatch(found, part), part)))


def _for_fnmatch(found: re.Match[str], part: str) -> str:
    """A set, or a character after a backslash, as `fnmatch` writes it."""
    escaped, negation, chars = found.groups()
    if escaped:
        return f"[{escaped}]" if escaped in "*?[" else escaped
    if not chars:
        raise ValueError(f"a [ in {part:.40} has no ]" if escaped is None else f"{part:.40} cannot be understood")
    try:
        if _FOREIGN_IN_BRACKET.search(chars):
            raise ValueError
        re.compile(f"[{chars}]")
    except (ValueError, re.error) as error:
        raise ValueError(f"{found[0]:.40} cannot be understood") from error
    return f"[{negation and '!'}{chars}]"

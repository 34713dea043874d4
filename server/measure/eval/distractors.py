"""What is searched beside a test set, to see how it does in a larger and mixed corpus."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb.errors import InvalidRequest
from server.measure.eval.squad import Article, read_squad

_SUFFIX = ".json"


@dataclass(frozen=True, slots=True)
class Distractors:
    """Further documents.

    Attributes:
        sets: Articles of test sets, by the name of their folder.
        folders: Indexed where they are.
    """

    sets: Mapping[str, Sequence[Article]]
    folders: Sequence[Path]


def read_distractors(paths: Sequence[Path]) -> Distractors:
    """Reads the sets among some paths.

    Raises:
        InvalidRequest: One is neither a folder nor a file in SQuAD format.
    """
    sets: dict[str, Sequence[Article]] = {}
    folders = []
    for number, path in enumerate(paths, start=1):
        if path.is_dir():
            folders.append(path)
        elif path.suffix == _SUFFIX or not path.exists():
            sets[set_name(number, path)] = read_squad(path).articles
        else:
            raise InvalidRequest(f"{path} is neither a folder nor a {_SUFFIX} file", "--beside takes these two")
    return Distractors(sets, folders)


def set_name(number: int, path: Path) -> str:
    """The name of the folder for a set; two files of the same name get two."""
    return f"{number}-{path.stem}"


def describe_options(limit: int | None, beside: Sequence[Path]) -> list[str]:
    """Says in words what makes a set another one than the whole file alone."""
    described = [f"beside {path.resolve().name}" for path in beside]
    return [*described, f"limit {limit}"] if limit is not None else described

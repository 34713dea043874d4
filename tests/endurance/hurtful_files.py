"""More than sixty files made to hurt who indexes them: contents, names, kinds, and some that never keep still.

Run `python -m tests.endurance.hurtful_files FOLDER` to have them made, those that keep still, for a look by hand.
"""

import contextlib
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.endurance.hurtful_pdfs import PDFS
from tests.endurance.hurtful_texts import TEXTS

_BEAT_SECONDS = 0.1
_DOME = "# Dome\n\nThe dome is yellow.\n"
_DEEP = "/".join(f"level-{n}" for n in range(40)) + "/deep.md"


@dataclass(frozen=True, slots=True)
class Hurtful:
    """A file made to hurt.

    Attributes:
        name: Its path below the folder, as it is listed; bytes that are no text stand there as U+FFFD.
        is_listed: Whether it must be listed as a document, a failure or a waiting file.
    """

    name: str
    is_listed: bool = True


def _write_dome(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_DOME)


def _forbidden(path: Path) -> None:
    path.write_text(_DOME)
    path.chmod(0)


def _link_loop(path: Path) -> None:
    path.symlink_to(path.name)


_NAMES = (
    "n" * 252 + ".md",
    "\x1b[31mred\x1b[0m.md",
    "new\nline.md",
    "\u202egnp.md",
    "-rf.md",
    "inner   spaces .md",
    _DEEP,
)
_UNLISTED: dict[str, Callable[[Path], object]] = {
    ".hidden.md": _write_dome,
    "trailing.md  ": _write_dome,
    "pipe.md": lambda path: os.mkfifo(path),
    "socket.md": lambda path: os.mknod(path, stat.S_IFSOCK | 0o600),
    "loop.md": _link_loop,
    "passwd.txt": lambda path: path.symlink_to("/etc/passwd"),
    "folder.md": lambda path: path.mkdir(),
}
"""Hidden, or of no type that is read, or no file, or a link that leads out of the folder."""

_NAME_WITHOUT_TEXT = b"bad-\xff\xfe.md"
_RESTLESS = ("appended.txt", "replaced.md")


def make(folder: Path) -> list[Hurtful]:
    """Makes all that keep still, and says which they are."""
    for name, write in (TEXTS | PDFS | _UNLISTED).items():
        write(folder / name)
    for name in _NAMES:
        _write_dome(folder / name)
    _forbidden(folder / "forbidden.md")
    _write_dome(Path(os.fsdecode(os.fsencode(folder) + b"/" + _NAME_WITHOUT_TEXT)))
    listed = (*TEXTS, *PDFS, *_NAMES, "forbidden.md", _NAME_WITHOUT_TEXT.decode(errors="replace"))
    return [*(Hurtful(name) for name in listed), *(Hurtful(name, is_listed=False) for name in _UNLISTED)]


@contextmanager
def restless(folder: Path) -> Iterator[list[Hurtful]]:
    """Appends to a file, replaces another and has a third come and go, ten times a second, until the block ends."""
    is_over = threading.Event()
    changing = threading.Thread(target=_change, args=(folder, is_over))
    changing.start()
    try:
        yield [*(Hurtful(name) for name in _RESTLESS), Hurtful("vanishing.md", is_listed=False)]
    finally:
        is_over.set()
        changing.join()


def _change(folder: Path, is_over: threading.Event) -> None:
    appended, replaced = (folder / name for name in _RESTLESS)
    vanishing, hidden = folder / "vanishing.md", folder / ".new"
    number = 0
    while not is_over.wait(_BEAT_SECONDS):
        number += 1
        with appended.open("a") as file:
            file.write(f"Line {number} tells of the dome.\n")
        hidden.write_text(f"# Version {number}\n\nThe dome is new.\n")
        hidden.replace(replaced)
        if number % 2:
            vanishing.write_text(_DOME)
        else:
            vanishing.unlink()
    with contextlib.suppress(FileNotFoundError):
        vanishing.unlink()


if __name__ == "__main__":
    made = make(Path(sys.argv[1]))
    print(f"{len(made)} files in {sys.argv[1]}")

"""Random things that people and programs do to a folder."""

import os
import random
import shutil
import time
from collections.abc import Callable, Collection
from pathlib import Path

from tests.endurance.comparing import TEXT_EXTENSIONS, Words

FOLDERS = ("", "a", "a/b", "雨季", "c d/e")


class Operations:
    """Does things to a folder, one at a time.

    Args:
        folder: To which they are done.
        outside: An empty folder on the same file system; what is moved out is there, and comes back from there.
        pause_seconds: Longest pause inside an operation that takes its time.
        without: Names of operations that are left out.
    """

    def __init__(
        self,
        folder: Path,
        outside: Path,
        words: Words,
        dice: random.Random,
        *,
        pause_seconds: float = 0.0,
        without: Collection[str] = (),
    ) -> None:
        self.pause_seconds = pause_seconds
        self._folder = folder
        self._outside = outside
        self._words = words
        self._dice = dice
        self._count = 0
        everything: dict[Callable[[], object], int] = {
            self.create: 20,
            self.edit: 10,
            self.append_slowly: 6,
            self.save_atomically: 8,
            self.save_aside: 4,
            self.rename: 8,
            self.rename_case: 3,
            self.move_folder_out: 2,
            self.move_folder_in: 4,
            self.rename_folder: 3,
            self.delete: 7,
            self.delete_folder: 1,
            self.make_folder: 2,
            self.forbid: 4,
            self.allow: 4,
            self.edit_unseen: 5,
            self.copy: 5,
            self.swap: 4,
            self.link: 3,
            self.create_unsupported: 2,
            self.create_empty: 3,
        }
        self._weights = {do: weight for do, weight in everything.items() if do.__name__ not in without}

    def run(self, count: int, pause_seconds: float = 0.0) -> None:
        """Does some operations, with pauses between that are at most so long."""
        for _ in range(count):
            (do,) = self._dice.choices(list(self._weights), list(self._weights.values()))
            do()
            time.sleep(self._dice.uniform(0, pause_seconds))

    def create(self) -> None:
        self._new_file(self._dice.choice(TEXT_EXTENSIONS)).write_text(self._words.text(self._dice.randint(1, 6)))

    def edit(self) -> None:
        if path := self._a_file():
            path.write_text(f"{self._words.text(1)}\n\n{path.read_text()}")

    def append_slowly(self) -> None:
        with (self._a_file() or self._new_file(".txt")).open("a") as file:
            for _ in range(4):
                print(f"\nOne more line, {self._words.word()}.", file=file, flush=True)
                time.sleep(self._dice.uniform(0, self.pause_seconds))

    def save_atomically(self) -> None:
        path = self._a_file() or self._new_file(".md")
        draft = path.with_name(self._dice.choice((f".{path.name}.swp", f"{path.name}.tmp", f"{path.name}~")))
        draft.write_text(self._words.text())
        time.sleep(self._dice.uniform(0, self.pause_seconds))
        draft.replace(path)

    def save_aside(self) -> None:
        """As some editors do: the old file is taken away first."""
        if path := self._a_file():
            backup = path.with_name(f"{path.name}.bak")
            path.rename(backup)
            time.sleep(self._dice.uniform(0, self.pause_seconds))
            path.write_text(self._words.text())
            backup.unlink()

    def rename(self) -> None:
        if path := self._a_file(readable=False):
            path.rename(self._new_file(path.suffix))

    def rename_case(self) -> None:
        if path := self._a_file(readable=False):
            path.rename(path.with_name(path.name.swapcase()))

    def move_folder_out(self) -> None:
        if path := self._a_folder():
            path.rename(self._outside / self._name())

    def move_folder_in(self) -> None:
        away = sorted(self._outside.iterdir())
        path = self._dice.choice(away) if away else self._outside / self._name()
        if not away:
            path.mkdir()
            for extension in TEXT_EXTENSIONS:
                (path / f"{self._name()}{extension}").write_text(self._words.text())
        path.rename(self._folder / path.name)

    def rename_folder(self) -> None:
        if path := self._a_folder():
            path.rename(path.with_name(self._name()))

    def delete(self) -> None:
        if path := self._a_file(readable=False):
            path.unlink()

    def delete_folder(self) -> None:
        if path := self._a_folder():
            shutil.rmtree(path)

    def make_folder(self) -> None:
        (self._folder / self._name()).mkdir()

    def forbid(self) -> None:
        if path := self._a_file():
            path.chmod(0)

    def allow(self) -> None:
        for path in self._files():
            if not os.access(path, os.R_OK):
                path.chmod(0o600)
                return

    def edit_unseen(self) -> None:
        """As some programs do: size and time of modification stay the same."""
        if path := self._a_file():
            before, text = path.stat(), path.read_text()
            for word in {word for word in self._words.made if word in text}:
                text = text.replace(word, self._words.word())
            path.write_text(text)
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def copy(self) -> None:
        if path := self._a_file():
            shutil.copy2(path, self._new_file(path.suffix))

    def swap(self) -> None:
        one, other = self._a_file(readable=False), self._a_file(readable=False)
        if one and other and one != other:
            between = self._folder / f".{self._name()}"
            one.rename(between)
            other.rename(one)
            between.rename(other)

    def link(self) -> None:
        """To a file of the folder, to one outside, to nothing, or to a folder above."""
        path = self._a_file() or self._folder / "nothing.md"
        stranger = self._outside.with_name("stranger.md")
        stranger.write_text("# Stranger\n\nThis must never be found.\n")
        target = self._dice.choice((path, stranger, self._folder / "nothing.md", self._folder))
        self._new_file(".md").symlink_to(target)

    def create_unsupported(self) -> None:
        self._new_file(self._dice.choice((".zip", ".gz", ""))).write_bytes(b"\x89 no text")

    def create_empty(self) -> None:
        self._new_file(self._dice.choice(TEXT_EXTENSIONS)).touch()

    def _name(self) -> str:
        self._count += 1
        return f"{self._dice.choice(('Note', 'report', '纪要'))}-{self._count}"

    def _new_file(self, extension: str) -> Path:
        parent = self._folder / self._dice.choice(FOLDERS)
        parent.mkdir(parents=True, exist_ok=True)
        return parent / f"{self._name()}{extension}"

    def _a_file(self, *, readable: bool = True) -> Path | None:
        """One with text; links are left as they are."""
        files = [path for path in self._files() if not readable or os.access(path, os.R_OK)]
        return self._dice.choice(files) if files else None

    def _files(self) -> list[Path]:
        return sorted(
            path
            for path in self._folder.rglob("*")
            if path.suffix.lower() in TEXT_EXTENSIONS and path.is_file() and not path.is_symlink()
        )

    def _a_folder(self) -> Path | None:
        folders = sorted(path for path in self._folder.rglob("*") if path.is_dir() and not path.is_symlink())
        return self._dice.choice(folders) if folders else None

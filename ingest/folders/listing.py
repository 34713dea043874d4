"""What is in a watched folder: one walk, one `stat` a file. Reads no content but of `.kbignore` files, and to hash.

Hidden files and folders are passed over, and so are links that lead out of the folder. A name that is no valid text
is listed with `UNREADABLE_CHARACTER` in the place of the bytes that are wrong: so it can be shown, but not opened.
What may be there but cannot be seen is told, so that nobody takes it for gone.
"""

import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ingest.folders.ignore import IGNORE_FILE, MAX_IGNORE_FILE_BYTES, IgnoreRules
from ingest.folders.opening import opened_folder, read_file
from ingest.formats.registry import supported
from kb.data_directory import own_names
from kb.values.documents import FileVersion

UNREADABLE_CHARACTER = "\N{REPLACEMENT CHARACTER}"

_LATEST_NS = 2**63 - 1
"""The last time, in the year 2262, that the catalog can hold; file systems know later ones."""

NOT_THERE = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP}
"""Gone a moment ago, or a link that leads nowhere."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something below a watched folder that could not be looked at, so that it is unknown what is there.

    Attributes:
        source: The path below the watched folder, with `/` between the parts; that of a folder ends with `/`.
        reason: In plain words.
    """

    source: str
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Listing:
    """What is in a watched folder.

    Attributes:
        files: Those that have a loader, without their hashes.
        unsupported: How many files there are that no loader reads, by extension: in lower case with the dot, empty
            where there is none. Hidden and ignored files do not count.
        empty: There is nothing at all, not even something hidden; so looks a place where nothing is mounted.
        device: Number of the file system (`st_dev`).
    """

    files: tuple[FileVersion, ...]
    unsupported: Mapping[str, int]
    troubles: tuple[Trouble, ...]
    empty: bool
    device: int


def list_files(root: Path, check: Callable[[], None] = lambda: None) -> Listing:
    """Lists what is in a folder.

    Args:
        root: Absolute.
        check: Called time and again; what it raises ends the look.

    Raises:
        OSError: The folder itself cannot be read.
    """
    return _Walk(root, check).listing()


def is_reachable(folder: Path) -> bool:
    """Whether a folder is there and can be read."""
    try:
        os.scandir(folder).close()
    except OSError:
        return False
    return True


def stat_file(root: Path, path: Path) -> FileVersion | None:
    """The state of one file as it is now, without its hash; None if it is gone or no regular file."""
    try:
        found = path.stat()
    except OSError:
        return None
    if not stat.S_ISREG(found.st_mode):
        return None
    return _version(str(root), path.relative_to(root).as_posix(), found)


def readable(name: str) -> str:
    """A name of a file, with `UNREADABLE_CHARACTER` in the place of bytes that are no text.

    Such bytes reach Python as lone surrogates, which neither the catalog nor JSON can hold.
    """
    return name.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def outermost(folders: Iterable[Path]) -> tuple[Path, ...]:
    """Folders without those that lie inside another of them, so that no file is seen twice; in the order given."""
    unique = tuple(dict.fromkeys(folders))
    return tuple(
        folder for folder in unique if not any(folder != other and folder.is_relative_to(other) for other in unique)
    )


@dataclass(frozen=True, slots=True)
class _Folder:
    """A folder that is still to be looked at.

    Attributes:
        names: Its path below the root.
        rules: Those of the folders above it.
    """

    names: tuple[str, ...]
    rules: IgnoreRules

    def source(self, name: str = "") -> str:
        return "/".join((*self.names, name))


class _Walk:
    """One look at all that is below a folder; by a list of what is to be done, because folders can be very deep."""

    def __init__(self, root: Path, check: Callable[[], None]) -> None:
        self._root = root
        self._check = check
        self._real_root = Path(os.path.realpath(root))
        self._files: list[FileVersion] = []
        self._unsupported: Counter[str] = Counter()
        self._troubles: list[Trouble] = []

    def listing(self) -> Listing:
        device = self._root.stat().st_dev
        is_empty, folders = self._visit(_Folder((), IgnoreRules()))
        while folders:
            folder = folders.pop()
            try:
                folders += self._visit(folder)[1]
            except OSError as error:
                self._note_unreadable(folder.source(), error)
        return Listing(tuple(self._files), dict(self._unsupported), tuple(self._troubles), is_empty, device)

    def _visit(self, folder: _Folder) -> tuple[bool, list[_Folder]]:
        """Whether there is nothing at all in a folder, and what `_look` returns."""
        with opened_folder(self._root, folder.names) as opened, os.scandir(opened) as found:
            entries = sorted(found, key=lambda entry: entry.name)
            return not entries, self._look(folder, entries)

    def _look(self, folder: _Folder, entries: list[os.DirEntry[str]]) -> list[_Folder]:
        """Notes the files in a folder.

        Returns:
            The folders in it, the last one first.

        Raises:
            PermissionError: The names in the folder can be read, but nothing more.
        """
        rules = self._rules(folder, entries)
        own = own_names([entry.name for entry in entries])
        folders = []
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            names = (*folder.names, entry.name)
            self._check()
            if entry.name.startswith(".") or entry.name in own or rules.ignores(names, is_folder, self._check):
                continue
            if is_folder:
                folders.append(_Folder(names, rules))
            else:
                self._note_file(folder.source(entry.name), entry)
        return folders[::-1]

    def _note_file(self, source: str, entry: os.DirEntry[str]) -> None:
        try:
            if entry.is_symlink() and not Path(os.path.realpath(self._root / source)).is_relative_to(self._real_root):
                return
            found = entry.stat()
        except OSError as error:
            if isinstance(error, PermissionError) and not entry.is_symlink():
                raise  # it is the folder that may not be searched, so this concerns all that is in it
            self._note_unreadable(source, error)
            return
        if not stat.S_ISREG(found.st_mode):
            return
        if supported(Path(entry.name)):
            self._files.append(_version(str(self._root), source, found))
        else:
            self._unsupported[readable(Path(entry.name).suffix.lower())] += 1

    def _rules(self, folder: _Folder, entries: Iterable[os.DirEntry[str]]) -> IgnoreRules:
        entry = next((entry for entry in entries if entry.name == IGNORE_FILE), None)
        if entry is None:
            return folder.rules
        rules = folder.rules
        try:
            data = read_file(self._root, folder.source(entry.name), MAX_IGNORE_FILE_BYTES)
            rules, problem = folder.rules.extended(len(folder.names), data)
        except OSError as error:
            problem = error.strerror or str(error)
        if problem:
            hint = "correct it; files that it should keep out of the index may be in it"
            self._note(
                folder.source(entry.name), f"this list of what to ignore is not heeded as a whole: {problem}", hint
            )
        return rules

    def _note_unreadable(self, source: str, error: OSError) -> None:
        if error.errno in NOT_THERE:
            return
        hint = "let the user who runs kb read it" if isinstance(error, PermissionError) else "check the disk it is on"
        kind = "folder" if source.endswith("/") else "file"
        self._note(
            source, f"the {kind} cannot be read: {error.strerror}", f"{hint}; until then, what was indexed stays"
        )

    def _note(self, source: str, reason: str, hint: str) -> None:
        self._troubles.append(Trouble(readable(source), reason, hint))


def _version(root: str, source: str, found: os.stat_result) -> FileVersion:
    return FileVersion(
        root,
        readable(source),
        found.st_size,
        modified_ns=min(found.st_mtime_ns, _LATEST_NS),
        changed_ns=min(found.st_ctime_ns, _LATEST_NS),
    )

"""Where model files come from: Hugging Face or a mirror of it, or an address that the user gave; and how far they are.

A source knows names and addresses; `kb.models.download` moves the bytes.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol
from urllib.parse import quote

from kb.errors import ModelDownloadError
from kb.models.download import check_sha256, download, require_answer
from kb.values.progress import Progress, Report

UNPINNED = "no SHA-256 of it is known beforehand, so it is what is there at this time"
"""Said of what is fetched so."""

_REPORT_SECONDS = 0.1
_GGUF_MAGIC = b"GGUF"


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a model.

    Attributes:
        name: Its path below the model's folder, with `/` between the parts.
        sha256: In hex; empty where it is not known beforehand.
        size_bytes: About; 0 where it is not known.
    """

    name: str
    sha256: str = ""
    size_bytes: int = 0


def have_digests(files: Sequence[RemoteFile]) -> bool:
    """Whether the SHA-256 of each file is known."""
    return all(file.sha256 for file in files)


class Meter:
    """Passes progress on, at most ten times a second.

    Args:
        label: What is being fetched.
        total: In bytes; may be a guess that the source corrects.
        report: Called with the progress; may raise to stop the work.
    """

    def __init__(self, label: str, total: int | None, report: Report) -> None:
        self._label = label
        self._total = total
        self._report = report
        self._done = 0
        self._next_report = 0.0

    def show(self, done: int, total: int | None = None) -> None:
        """Reports, unless the last report was a moment ago.

        Args:
            done: Bytes so far.
            total: Where it is known better than before.
        """
        self._done, self._total = done, total or self._total
        now = time.monotonic()
        if now >= self._next_report:
            self._next_report = now + _REPORT_SECONDS
            self._report(Progress(self._label, done, max(self._total, done) if self._total else None))

    def finish(self) -> None:
        """Reports that all is done; the total is no guess any more."""
        self._report(Progress(self._label, self._done, self._done))


class Source(Protocol):
    """A place that has all files of a model."""

    @property
    def kind(self) -> str:
        """A word that is also the name of the folder in which its unfinished files lie."""

    @property
    def description(self) -> str:
        """What a person would call it, for the list of what was tried."""

    @property
    def files(self) -> tuple[RemoteFile, ...]:
        """What is in the folder afterwards."""

    @property
    def is_pinned(self) -> bool:
        """Whether it is known beforehand what will come, by SHA-256 of each file or by the commit that has them."""

    @property
    def temporary_bytes(self) -> int:
        """Disk space that it needs for a while, beside that of the model."""

    def fetch(self, folder: Path, meter: Meter) -> None:
        """Brings the files into an existing folder, continuing what an earlier call left there.

        Raises:
            ModelDownloadError: The source has no connection, no such file, or breaks off; its message is the reason.
            StorageError: The disk is full.
        """


@dataclass(frozen=True, slots=True)
class HubFiles:
    """Files of a Hugging Face repository. `HF_ENDPOINT`, `HF_HUB_OFFLINE` and the user's token are honoured.

    The hub's client says where the hub is and whether it may be asked; the bytes come through `download`, because the
    client (huggingface_hub 2.4) keeps nothing of a file that was interrupted.

    Attributes:
        revision: A branch, or the commit that pins the files.
    """

    repo: str
    files: tuple[RemoteFile, ...]
    revision: str = "main"
    kind: ClassVar[str] = "hub"
    temporary_bytes: ClassVar[int] = 0

    @property
    def is_pinned(self) -> bool:
        """See `Source`."""
        return have_digests(self.files)

    @property
    def description(self) -> str:
        """The repository with the endpoint that is in use."""
        from huggingface_hub import constants

        return f"Hugging Face ({constants.ENDPOINT}/{self.repo})"

    def fetch(self, folder: Path, meter: Meter) -> None:
        """See `Source.fetch`."""
        endpoint, headers = reach_hub()
        names = [file.name for file in self.files]
        _download_all(_urls(f"{endpoint}/{self.repo}/resolve/{self.revision}", names), names, folder, meter, headers)


@dataclass(frozen=True, slots=True)
class UrlFiles:
    """Files at an address that the user gave.

    Attributes:
        url: Of the file where there is one, else of the folder that holds them all.
    """

    url: str
    files: tuple[RemoteFile, ...]
    kind: ClassVar[str] = "url"
    temporary_bytes: ClassVar[int] = 0

    @property
    def is_pinned(self) -> bool:
        """See `Source`."""
        return have_digests(self.files)

    @property
    def description(self) -> str:
        """The URL."""
        return self.url

    def fetch(self, folder: Path, meter: Meter) -> None:
        """See `Source.fetch`."""
        require_answer(self.url)
        names = [file.name for file in self.files]
        _download_all([self.url] if len(names) == 1 else _urls(self.url.rstrip("/"), names), names, folder, meter)


def reach_hub() -> tuple[str, dict[str, str] | None]:
    """Where the hub is, and what to tell it of the user, once it has answered.

    Raises:
        ModelDownloadError: It does not answer, or may not be asked.
    """
    from huggingface_hub import constants, get_token

    if constants.HF_HUB_OFFLINE:
        raise ModelDownloadError("not asked, because HF_HUB_OFFLINE is set")
    require_answer(constants.ENDPOINT)
    token = get_token()
    return constants.ENDPOINT, {"Authorization": f"Bearer {token}"} if token else None


def check_files(source: Source, folder: Path, meter: Meter) -> None:
    """Compares each file with its SHA-256; where none is known, a GGUF file at least has to begin like one.

    Raises:
        ModelDownloadError: A file is another one; it was deleted.
    """
    for file in source.files:
        path = folder / file.name
        if file.sha256:
            check_sha256(path, file.sha256, meter.show)
        elif path.suffix == ".gguf":
            with path.open("rb") as opened:
                magic = opened.read(len(_GGUF_MAGIC))
            if magic != _GGUF_MAGIC:
                path.unlink()
                raise ModelDownloadError("what came is not a GGUF file; it was deleted")


def _urls(base: str, names: Sequence[str]) -> list[str]:
    return [f"{base}/{quote(name)}" for name in names]


def _download_all(
    urls: Sequence[str], names: Sequence[str], folder: Path, meter: Meter, headers: dict[str, str] | None = None
) -> None:
    fetched_bytes = 0
    for url, name in zip(urls, names, strict=True):

        def show(done: int, total: int | None, before: int = fetched_bytes) -> None:
            meter.show(before + done, total if len(names) == 1 else None)

        path = folder / name
        if not path.exists():
            download(url, path, show, headers)
        fetched_bytes += path.stat().st_size

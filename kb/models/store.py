"""The models on this machine: finds them, fetches what is missing, and chooses the one that answers.

A model is a catalog name, the path of a file, or `hf:owner/repo/file.gguf`; one on a server is only described. Finding
never opens a socket. What has its final path is whole and checked; unfinished work lies in `.partial` beside it, one
folder and one lock for each model.
"""

import difflib
import logging
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import filelock

from kb.errors import ModelDownloadError, NotFound
from kb.models import gguf_file, sentence_folder
from kb.models.catalog import (
    DEFAULT_ANSWER_MODEL,
    FALLBACK_ANSWER_MODEL,
    CatalogModel,
    catalog,
    hub_cross_encoder,
    hub_embedder,
    hub_model,
    looks_like_r1,
)
from kb.models.cross_encoder import check_cross_encoder, is_cross_encoder
from kb.models.download import disk_errors, require_space
from kb.models.fetch import UNPINNED, Meter, Source, UrlFiles, check_files
from kb.models.gguf_file import is_gguf
from kb.models.hub_folder import HubFolder
from kb.models.modelscope import on_modelscope
from kb.models.remote import remote_model
from kb.values.progress import Report

Hub = Literal["huggingface", "modelscope"]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class InstalledModel:
    """A model that is whole and on this machine.

    Attributes:
        size_bytes: Of all its files.
    """

    name: str
    path: Path
    size_bytes: int


@dataclass(frozen=True, slots=True)
class ModelStore:
    """The models directory.

    Args:
        directory: Made when the first model comes; may be shared by several processes.
        catalog: What is known by name; the first that answers is the first choice.
        hub: Which is asked first.
    """

    directory: Path
    catalog: tuple[CatalogModel, ...] = field(default_factory=catalog)
    hub: Hub = "huggingface"

    @classmethod
    def of_hub(
        cls, directory: Path, *cross_encoders: str, embedder: str = "", hub: Hub = "huggingface"
    ) -> "ModelStore":
        """A models directory where embedding model, reranker and judge are known by name, too.

        Args:
            cross_encoders: `owner/repo` of the hub each; the path of a folder, or nothing, adds nothing.
            embedder: Likewise.
            hub: Which is asked first.
        """
        of_hub = [name for name in cross_encoders if not Path(name).expanduser().is_dir()]
        found = [hub_embedder(embedder)] if not Path(embedder).expanduser().is_dir() else []
        return cls(directory, (*catalog(), *filter(None, [*found, *map(hub_cross_encoder, of_hub)])), hub)

    def find(self, name: str) -> Path | None:
        """Looks for a model on this machine, without the network.

        Args:
            name: A catalog name, the path of a `.gguf` file or of a folder that sentence-transformers loads, or
                `hf:owner/repo/file.gguf`.

        Returns:
            The file of an answering model, the folder of another one; None if it is not there.
        """
        model = self.known(name)
        if model is None:
            path = Path(name).expanduser()
            usable = (is_gguf(path) and path.is_file()) or _is_model_folder(path)
            return path.absolute() if name and usable else None
        path = self._place_of(model)
        return path if (path.is_file() or _is_model_folder(path)) else None

    def known(self, name: str) -> CatalogModel | None:
        """What is known about a catalog name or an `hf:` name; None for paths and all else."""
        listed = next((model for model in self.catalog if model.name == name), None)
        return listed or hub_model(name)

    def installed(self) -> list[InstalledModel]:
        """Lists what is in the models directory, catalog models first."""
        hub_files = sorted(self.directory.glob("hf/*/*/**/*.gguf"))
        names = [model.name for model in self.catalog]
        names += ["hf:" + path.relative_to(self.directory / "hf").as_posix() for path in hub_files]
        found = ((name, self.find(name)) for name in names)
        return [InstalledModel(name, path, _size_of(path)) for name, path in found if path]

    def pull(self, name: str, report: Report, url: str | None = None) -> Path:
        """Fetches a model, unless it is there: from each source in order until one gives the right bytes.

        Args:
            name: As for `find`.
            report: Called with the progress, at most ten times a second.
            url: Instead of the known sources: of the file, or of the folder that holds an embedding model's files.

        Returns:
            As `find`.

        Raises:
            NotFound: The name is not known, and no such file is there.
            ModelDownloadError: No source gave the model; the message says why for each.
            StorageError: The disk is full or cannot be written.
        """
        if found := self.find(name):
            return found
        model = self.known(name)
        if model is None:
            raise self._unknown(name)
        with self._alone(model, report):
            return self.find(name) or self._fetch(model, self._sources(model, url), report)

    def choose_answer_model(self, setting: str) -> str | None:
        """Decides which model answers.

        Args:
            setting: The name that the user set; empty where there is none.

        Returns:
            The setting if there is one, else the first R1 distill that is installed, else another answering model;
            None if nothing is there.
        """
        candidates = sorted((model for model in self.catalog if model.role == "answer"), key=lambda m: not m.reasons)
        return setting or next((model.name for model in candidates if self.find(model.name)), None)

    def answering(self, setting: str, report: Report) -> tuple[str, Path]:
        """Name and file of the model that answers, see `choose_answer_model`; fetched if it is not there.

        Raises:
            ModelDownloadError: It cannot be fetched.
            NotFound: Nothing is known by that name.
            StorageError: The disk is full or cannot be written.
        """
        name = self.choose_answer_model(setting)
        return (name, self.find(name) or self.pull(name, report)) if name else self.pull_default_answer_model(report)

    def pull_default_answer_model(self, report: Report) -> tuple[str, Path]:
        """Fetches the smallest R1 distill, or, where no source of it can be reached, the model that stands in for it.

        Returns:
            Name and file of the model that is there now.

        Raises:
            ModelDownloadError: Neither came; or the first one broke off, and another try will continue it.
            StorageError: The disk is full or cannot be written.
        """
        begun_bytes = self._partial_bytes(DEFAULT_ANSWER_MODEL)
        try:
            return DEFAULT_ANSWER_MODEL, self.pull(DEFAULT_ANSWER_MODEL, report)
        except ModelDownloadError as error:
            if self._partial_bytes(DEFAULT_ANSWER_MODEL) > begun_bytes:
                raise
            _logger.warning("%s; trying %s", error.message, FALLBACK_ANSWER_MODEL)
            unreached = error
        try:
            return FALLBACK_ANSWER_MODEL, self.pull(FALLBACK_ANSWER_MODEL, report)
        except ModelDownloadError as error:
            raise ModelDownloadError(f"{unreached.message}\n{error.message}", unreached.hint) from error

    def identity(self, folder: Path) -> str:
        """Names an embedding model and its variant: vectors are compared only within one identity.

        Args:
            folder: From `find` or `pull`; of one for llama.cpp the file.
        """
        return gguf_file.identity(folder) if is_gguf(folder) else sentence_folder.identity(folder)

    def describe_choice(self, name: str | None) -> str:
        """Says in a sentence which model answers and, if it is not an R1 distill, how to get one.

        Args:
            name: From `choose_answer_model`.
        """
        get_r1 = f"`kb models pull {DEFAULT_ANSWER_MODEL}`"
        if not name:
            return f"No answering model is here yet; {get_r1} fetches one."
        if remote := remote_model(name):
            seen = ", which sees questions and passages" if remote.is_elsewhere else ""
            return f"{remote.model} on {remote.host} answers{seen}."
        model = self.known(name)
        title = model.title if model else Path(name).stem
        if not self.find(name):
            fetch = f"`kb models pull {name}` fetches it" if model else "`kb models list` shows what there is"
            return f"{title} is to answer, but is not here; {fetch}."
        if model.reasons if model else looks_like_r1(title):
            return f"{title} answers; it thinks before it does."
        return f"{title} answers; it is not an R1 distill and does not think first. {get_r1} fetches one that does."

    def _sources(self, model: CatalogModel, url: str | None) -> tuple[Source, ...]:
        if url:
            return (UrlFiles(url, model.sources[0].files),)
        there = map(on_modelscope, model.sources) if self.hub == "modelscope" else ()
        return (*filter(None, there), *model.sources)

    def _fetch(self, model: CatalogModel, sources: tuple[Source, ...], report: Report) -> Path:
        failures = []
        for source in sources:
            folder = self._partial(model.name) / source.kind
            with disk_errors(folder):
                folder.mkdir(parents=True, exist_ok=True)
            require_space(folder, model.size_bytes + source.temporary_bytes - _size_of(folder))
            meter = Meter(model.name, sum(file.size_bytes for file in source.files) or None, report)
            try:
                source.fetch(folder, meter)
                meter.finish()
                check_files(source, folder, Meter(f"checking {model.name}", None, report))
                Meter(f"preparing {model.name}", None, report).show(0)
                path = self._put_in_place(model, source, folder)
            except ModelDownloadError as error:
                _logger.info("%s from %s: %s", model.name, source.description, error.message)
                failures.append(f"{source.description}: {error.message}")
                continue
            shutil.rmtree(self._partial(model.name), ignore_errors=True)
            if not source.is_pinned:
                _logger.warning("%s came from %s; %s", model.name, source.description, UNPINNED)
            return path
        reasons = "".join(f"\n  {reason}" for reason in failures)
        raise ModelDownloadError(f"{model.name} could not be fetched:{reasons}", model.advice)

    def _put_in_place(self, model: CatalogModel, source: Source, folder: Path) -> Path:
        path = self._place_of(model)
        ready = folder / source.files[0].name
        with disk_errors(path):
            if model.role == "embedding" and isinstance(source, HubFolder):
                ready = folder
                sentence_folder.check(ready)
                sentence_folder.name_prompts(ready, model.prompts)
            elif model.role == "embedding" and not is_gguf(ready):
                ready = sentence_folder.assemble(folder, ready.name, model.name, source.description)
            if model.role == "reranker":
                ready = folder
                check_cross_encoder(ready)
            if ready.is_dir():
                shutil.rmtree(path, ignore_errors=True)  # not a model, or it would have been found
            path.parent.mkdir(parents=True, exist_ok=True)
            return ready.replace(path)

    @contextmanager
    def _alone(self, model: CatalogModel, report: Report) -> Iterator[None]:
        """Holds the lock of a model; where another process is fetching it, waits for that one to end."""
        partial = self._partial(model.name)
        with disk_errors(partial):
            partial.mkdir(parents=True, exist_ok=True)
            lock = filelock.FileLock(partial.with_name(partial.name + ".lock"))
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                Meter(f"{model.name}: waiting for the process that is fetching it", None, report).show(0)
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _place_of(self, model: CatalogModel) -> Path:
        if model.role == "embedding" and not model.is_gguf:
            return self.directory / ("embedders" if "/" in model.name else "") / model.name
        if model.role == "reranker":
            return self.directory / "rerankers" / model.name
        if model.name.startswith("hf:"):
            return self.directory / "hf" / model.name.removeprefix("hf:")
        return self.directory / model.name / model.sources[0].files[0].name

    def _partial(self, name: str) -> Path:
        return self.directory / ".partial" / re.sub(r"[:/]", "--", name)

    def _partial_bytes(self, name: str) -> int:
        return _size_of(self._partial(name))

    def _unknown(self, name: str) -> NotFound:
        names = [model.name for model in self.catalog]
        near = difflib.get_close_matches(name, names, n=3, cutoff=0.4) or names
        return NotFound(
            f"no model {name!r}: not in the catalog, not a .gguf file that is here, not hf:owner/repo/file.gguf",
            "did you mean " + ", ".join(near) + "? `kb models list` shows all",
        )


def _is_model_folder(path: Path) -> bool:
    return sentence_folder.is_sentence_folder(path) or is_cross_encoder(path)


def _size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in [path, *path.rglob("*")] if file.is_file())

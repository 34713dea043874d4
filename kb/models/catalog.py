"""The models that r1-kb knows by name: where each comes from, how large it is, its SHA-256 and its licence.

They stand in `catalog.toml`; `kb.models.store` fetches and finds. Sources are tried in the order in which they stand
there.
"""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any, Literal

from kb.models import cross_encoder, sentence_folder
from kb.models.fetch import HubFiles, RemoteFile, Source
from kb.models.gguf_file import is_gguf
from kb.models.hub_folder import MAIN, HubFolder
from kb.models.mirrors.wheels import Wheel, WheelFiles
from kb.models.prefixes import prefixes_of

_HUB_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_HUB_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)/((?:[\w.+-]+/)*[\w.+-]+\.gguf)")

DEFAULT_ANSWER_MODEL = "deepseek-r1-distill-qwen-1.5b"
FALLBACK_ANSWER_MODEL = "qwen2.5-coder-1.5b-instruct"


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """A model that can be fetched by name.

    Attributes:
        title: As its makers write it.
        role: `test` marks a model that is too small to answer.
        reasons: Whether it was trained to think before it answers.
        prompts: Of an embedding model whose files name none: what goes before a `query` and a `passage`.
        size_bytes: On the disk, once it is there; 0 where it is not known.
    """

    name: str
    title: str
    role: Literal["answer", "embedding", "reranker", "test"]
    reasons: bool
    size_bytes: int
    licence: str
    description: str
    sources: tuple[Source, ...]
    prompts: Mapping[str, str] = field(default_factory=dict)

    @property
    def advice(self) -> str:
        """What to do where no source of it gave it."""
        here = "any GGUF file that is on this machine already answers after `kb models use PATH`"
        if self.role in ("embedding", "reranker"):
            setting = "KB_EMBEDDING_MODEL" if self.role == "embedding" else "KB_RERANKER or KB_JUDGE"
            here = f"what is on this machine already is used when {setting} names its path"
        return (
            "set a proxy (HTTPS_PROXY), a mirror (HF_ENDPOINT) or KB_HUB=modelscope, or give an address with "
            f"`kb models pull {self.name} --url URL`; {here}"
        )

    @property
    def is_gguf(self) -> bool:
        """Whether it is a file for llama.cpp."""
        return is_gguf(Path(self.sources[0].files[0].name))


@cache
def catalog() -> tuple[CatalogModel, ...]:
    """Reads the catalog, once; the first model that answers is the first choice."""
    with Path(__file__).with_name("catalog.toml").open("rb") as file:
        return tuple(map(_model, tomllib.load(file)["models"]))


def _model(table: Mapping[str, Any]) -> CatalogModel:
    return CatalogModel(**{"reasons": False, **table, "sources": tuple(map(_source, table["sources"]))})


def _source(table: Mapping[str, Any]) -> Source:
    files = tuple(RemoteFile(**file) for file in table.get("files", ()))
    if "folder" in table:
        return _sentence_folder(table["folder"], files, table.get("revision", MAIN))
    if "wheels" in table:
        (file,) = files
        return WheelFiles(file, tuple(Wheel(**wheel) for wheel in table["wheels"]), table["largest_bytes"])
    return HubFiles(table["hub"], files, table.get("revision", "main"))


def hub_model(name: str) -> CatalogModel | None:
    """Describes a model that is not in the catalog, from its name alone.

    Args:
        name: `hf:owner/repo/file.gguf`; the file may lie in folders of the repository.

    Returns:
        None if the name has another form.
    """
    match = _HUB_NAME.fullmatch(name)
    if match is None or ".." in name:
        return None
    repo, file = match.groups()
    source = HubFiles(repo, (RemoteFile(file),))
    return CatalogModel(name, PurePosixPath(file).stem, "answer", looks_like_r1(file), 0, "", "", (source,))


def hub_cross_encoder(name: str) -> CatalogModel | None:
    """Describes a cross-encoder, from its name alone: none is in the catalog, as none is fetched unasked.

    Args:
        name: `owner/repo`.

    Returns:
        None if the name has another form.
    """
    if not _HUB_REPO.fullmatch(name):
        return None
    description = "Reads two texts together; set by KB_RERANKER or KB_JUDGE."
    source = HubFolder(name, cross_encoder.check_cross_encoder, cross_encoder.FILES)
    return CatalogModel(name, name, "reranker", False, 0, "see its page on the hub", description, (source,))


def hub_embedder(name: str) -> CatalogModel | None:
    """Describes an embedding model that is not in the catalog, from its name alone.

    Args:
        name: `owner/repo`.

    Returns:
        None if the name has another form.
    """
    if not _HUB_REPO.fullmatch(name):
        return None
    description = "Finds passages by meaning; set by KB_EMBEDDING_MODEL."
    source, known = _sentence_folder(name), prefixes_of(name)
    prompts = {"query": known.query, "passage": known.passage} if known.query or known.passage else {}
    return CatalogModel(name, name, "embedding", False, 0, "see its page on the hub", description, (source,), prompts)


def _sentence_folder(repo: str, files: tuple[RemoteFile, ...] = (), revision: str = MAIN) -> HubFolder:
    return HubFolder(repo, sentence_folder.check, files or sentence_folder.FILES, revision)


def looks_like_r1(name: str) -> bool:
    """Guesses from a file's name whether it is an R1 distill."""
    return "deepseek-r1" in name.lower()

"""The folder of a cross-encoder: fetched from the hub, and known when it is seen.

A cross-encoder reads two texts at once and gives one number. Which files make one up differs from model to model, so
the hub is asked for its list. Weights come last, and only of what is a cross-encoder by its configuration.
"""

import json
import re
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from kb.errors import ModelDownloadError
from kb.models.download import download
from kb.models.fetch import HubFiles, Meter, RemoteFile, Source, reach_hub

_CONFIG = "config.json"
_SENTENCE_CONFIG = "config_sentence_transformers.json"
_MODULES = "modules.json"
_LIST_NAME = "list"
_WEIGHTS = ".safetensors"

_NEEDED = re.compile(r"(\d+_\w+/)?[\w-][\w.-]*\.(json|txt|model|jinja|safetensors)")
"""Configuration, tokenizer and weights, of the model and of its modules; no copy of the weights for other libraries."""


@dataclass(frozen=True, slots=True)
class HubCrossEncoder:
    """A Hugging Face repository with a cross-encoder. A `kb.models.fetch.Source`."""

    repo: str
    kind: ClassVar[str] = HubFiles.kind
    temporary_bytes: ClassVar[int] = 0
    files: ClassVar[tuple[RemoteFile, ...]] = tuple(
        RemoteFile(name) for name in (_CONFIG, "tokenizer_config.json", "tokenizer.json", f"model{_WEIGHTS}")
    )
    """What most of them are made of, for an address that has no list."""

    @property
    def description(self) -> str:
        """The repository with the endpoint that is in use."""
        return HubFiles(self.repo, ()).description

    def fetch(self, folder: Path, meter: Meter) -> None:
        """See `kb.models.fetch.Source.fetch`."""
        files = tuple(file for file in self._all(folder, meter) if _NEEDED.fullmatch(file.name))
        light = tuple(file for file in files if not file.name.endswith(_WEIGHTS))
        if len(light) == len(files):
            raise ModelDownloadError("it has no weights in the safetensors format")
        self._some(light).fetch(folder, meter)
        check_cross_encoder(folder)
        meter.show(0, sum(file.size_bytes for file in files))
        self._some(files).fetch(folder, meter)

    def _some(self, files: tuple[RemoteFile, ...]) -> Source:
        return HubFiles(self.repo, files)

    def _all(self, folder: Path, meter: Meter) -> Sequence[RemoteFile]:
        """What the repository holds."""
        endpoint, headers = reach_hub()
        path = folder / _LIST_NAME
        path.unlink(missing_ok=True)
        # https://huggingface.co/docs/hub/api, "blobs" adds the sizes
        download(f"{endpoint}/api/models/{self.repo}?blobs=true", path, meter.show, headers)
        try:
            listed = json.loads(path.read_text("utf-8"))["siblings"]
            return [RemoteFile(str(file["rfilename"]), "", int(file.get("size") or 0)) for file in listed]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelDownloadError(f"the list of its files cannot be read: {error}") from error
        finally:
            path.unlink()


def is_cross_encoder(folder: Path) -> bool:
    """Whether a folder says that it holds a cross-encoder, in one of the two ways in which they are published."""
    kind = _read(folder / _SENTENCE_CONFIG).get("model_type")
    if kind or (folder / _MODULES).exists():
        return kind == "CrossEncoder"
    architectures = _read(folder / _CONFIG).get("architectures")
    return isinstance(architectures, list) and any(str(a).endswith("ForSequenceClassification") for a in architectures)


def check_cross_encoder(folder: Path) -> None:
    """Looks whether a folder that was fetched holds a cross-encoder; it is deleted if not, to start over next time.

    Raises:
        ModelDownloadError: It does not.
    """
    if not is_cross_encoder(folder):
        shutil.rmtree(folder)
        raise ModelDownloadError("by its configuration it is not a cross-encoder")


def _read(path: Path) -> Mapping[str, Any]:
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}

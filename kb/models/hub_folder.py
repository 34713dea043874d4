"""A repository of the hub that is fetched as a folder: which files make it up differs from model to model.

So the hub is asked for its list. Configuration and tokenizer come first, and weights only of what the model should be.
"""

import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from kb.errors import ModelDownloadError
from kb.models.download import download
from kb.models.fetch import HubFiles, Meter, RemoteFile, Source, reach_hub

MAIN = "main"
_COMMIT = re.compile(r"[0-9a-f]{40}")
_LIST_NAME = "list"
_WEIGHTS = ".safetensors"

_NEEDED = re.compile(r"(\d+_\w+/)?[\w-][\w.-]*\.(json|txt|model|jinja|safetensors)")
"""Configuration, tokenizer and weights, of the model and of its modules; no copy of the weights for other libraries."""


@dataclass(frozen=True, slots=True)
class HubFolder:
    """A Hugging Face repository. A `kb.models.fetch.Source`.

    Attributes:
        check: Looks at configuration and tokenizer; raises `ModelDownloadError` where it is another kind of model.
        files: What is compared with its SHA-256, where that is known, and fetched of an address that has no list.
        revision: A branch, or the commit that pins the files.
    """

    repo: str
    check: Callable[[Path], None]
    files: tuple[RemoteFile, ...]
    revision: str = MAIN
    kind: ClassVar[str] = HubFiles.kind
    temporary_bytes: ClassVar[int] = 0

    @property
    def is_pinned(self) -> bool:
        """See `kb.models.fetch.Source`."""
        return bool(_COMMIT.fullmatch(self.revision))

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
        self.check(folder)
        meter.show(0, sum(file.size_bytes for file in files))
        self._some(files).fetch(folder, meter)

    def _some(self, files: tuple[RemoteFile, ...]) -> Source:
        return HubFiles(self.repo, files, self.revision)

    def _all(self, folder: Path, meter: Meter) -> Sequence[RemoteFile]:
        """What the repository holds."""
        endpoint, headers = reach_hub()
        path = folder / _LIST_NAME
        path.unlink(missing_ok=True)
        # https://huggingface.co/docs/hub/api, "blobs" adds the sizes
        at = "" if self.revision == MAIN else f"/revision/{self.revision}"
        download(f"{endpoint}/api/models/{self.repo}{at}?blobs=true", path, meter.show, headers)
        try:
            listed = json.loads(path.read_text("utf-8"))["siblings"]
            return [RemoteFile(str(file["rfilename"]), "", int(file.get("size") or 0)) for file in listed]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ModelDownloadError(f"the list of its files cannot be read: {error}") from error
        finally:
            path.unlink()

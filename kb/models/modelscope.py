"""Files of a ModelScope repository: it has most of what the hub has under the same names, and is near in China.

Its list names the SHA-256 of each file: where the catalog knows one, the list must agree before anything is fetched,
and what comes must be what the list says. Addresses as in `modelscope/hub/api.py` and `file_download.py`; the bytes
come through `kb.models.download`.
"""

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlencode

from kb.errors import ModelDownloadError
from kb.models.download import check_sha256, download, require_answer
from kb.models.fetch import HubFiles, Meter, RemoteFile, Source, have_digests
from kb.models.hub_folder import HubFolder

_LIST_NAME = "list"
_REVISION = "master"


@dataclass(frozen=True, slots=True)
class ModelScopeFiles:
    """Files of a repository. A `kb.models.fetch.Source`. `MODELSCOPE_DOMAIN` and `MODELSCOPE_API_TOKEN` are heeded."""

    repo: str
    files: tuple[RemoteFile, ...]
    kind: ClassVar[str] = "modelscope"
    temporary_bytes: ClassVar[int] = 0

    @property
    def is_pinned(self) -> bool:
        """See `kb.models.fetch.Source`."""
        return have_digests(self.files)

    @property
    def description(self) -> str:
        """The repository with the address that is in use."""
        return f"ModelScope ({_endpoint()}/models/{self.repo})"

    def fetch(self, folder: Path, meter: Meter) -> None:
        """See `kb.models.fetch.Source.fetch`."""
        listed = {file.name: file for file in listed_files(self.repo, folder, meter)}
        fetched_bytes = 0
        for wanted in self.files:
            file = listed.get(wanted.name)
            if file is None:
                raise ModelDownloadError(f"it has no file {wanted.name}")
            if wanted.sha256 and wanted.sha256 != file.sha256:
                raise ModelDownloadError(f"its {wanted.name} is another file: SHA-256 {file.sha256 or 'not told'}")
            path = folder / file.name

            def show(done: int, total: int | None, before: int = fetched_bytes) -> None:
                meter.show(before + done, total if len(self.files) == 1 else None)

            if not path.exists():
                download(_url(self.repo, "repo", FilePath=file.name), path, show, _headers())
                if file.sha256:
                    check_sha256(path, file.sha256)
            fetched_bytes += path.stat().st_size


@dataclass(frozen=True, slots=True)
class ModelScopeFolder(HubFolder):
    """A repository that is fetched as a folder."""

    kind: ClassVar[str] = ModelScopeFiles.kind

    @property
    def is_pinned(self) -> bool:
        """See `kb.models.fetch.Source`; commits of the hub are none here."""
        return have_digests(self.files)

    @property
    def description(self) -> str:
        """The repository with the address that is in use."""
        return ModelScopeFiles(self.repo, ()).description

    def _some(self, files: tuple[RemoteFile, ...]) -> Source:
        return ModelScopeFiles(self.repo, files)

    def _all(self, folder: Path, meter: Meter) -> Sequence[RemoteFile]:
        return listed_files(self.repo, folder, meter)


def on_modelscope(source: Source) -> Source | None:
    """The same files there; None: they are not of the hub."""
    match source:
        case HubFiles():
            return ModelScopeFiles(source.repo, source.files)
        case HubFolder():
            return ModelScopeFolder(source.repo, source.check, source.files)
    return None


def listed_files(repo: str, folder: Path, meter: Meter) -> list[RemoteFile]:
    """All files of a repository, with their sizes and SHA-256.

    Args:
        folder: Where the list may lie for a moment.

    Raises:
        ModelDownloadError: There is no such repository, or no connection.
    """
    require_answer(_endpoint())
    path = folder / _LIST_NAME
    path.unlink(missing_ok=True)
    download(_url(repo, "repo/files", Recursive="true"), path, meter.show, _headers())
    try:
        files: list[dict[str, Any]] = json.loads(path.read_text("utf-8"))["Data"]["Files"]
        return [
            RemoteFile(str(file["Path"]), str(file.get("Sha256") or "").lower(), int(file.get("Size") or 0))
            for file in files
            if file["Type"] != "tree"
        ]
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ModelDownloadError(f"the list of its files cannot be read: {error}") from error
    finally:
        path.unlink()


def _endpoint() -> str:
    domain = os.environ.get("MODELSCOPE_DOMAIN") or "www.modelscope.cn"
    return domain if "://" in domain else f"https://{domain}"


def _headers() -> dict[str, str]:
    token = os.environ.get("MODELSCOPE_API_TOKEN")
    return {"Authorization": f"Bearer {token}"} if token else {}


def _url(repo: str, path: str, **query: str) -> str:
    return f"{_endpoint()}/api/v1/models/{repo}/{path}?{urlencode({'Revision': _REVISION, **query})}"

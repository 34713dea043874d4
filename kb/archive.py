"""A library as one file: what a data directory holds that cannot be made anew, and the way into another one.

A ZIP file with the catalog (texts, embeddings, what could not be read), further databases beside it, and the settings;
`manifest.json` in it names each with its SHA-256. Models, the vector index and the documents' own files are not in it:
the index is made of the embeddings, which takes no model. It is as confidential as the documents, and readable by its
owner only.
"""

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from kb.catalog.catalog import Catalog
from kb.catalog.database import copy_database
from kb.catalog.migrations import SCHEMA_VERSION
from kb.data_directory import CATALOG_NAME, CONVERSATIONS_NAME, DataDirectoryLock
from kb.errors import InvalidRequest, NotFound, SchemaMismatch, StorageError
from kb.values.progress import Progress, Report

FORMAT = 1
MANIFEST_NAME = "manifest.json"

_DATABASES = (CATALOG_NAME, CONVERSATIONS_NAME)
_FILES = ("kb.toml", "evaluations.jsonl")
_STAGE_NAME = ".importing"
_BLOCK_BYTES = 1 << 20
_LARGEST_MANIFEST_BYTES = 100_000


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is in an archive.

    Attributes:
        format: Of the archive.
        schema: Version of the catalog's tables.
        made_at: In UTC, ISO 8601.
        documents: How many.
        chunks: How many passages.
        members: SHA-256 of each member by its name.
    """

    format: int
    schema: int
    made_at: str
    documents: int
    chunks: int
    members: Mapping[str, str]


def export_library(home: Path, target: Path, report: Report = lambda progress: None) -> Manifest:
    """Writes the library of a data directory into one file; the service may run meanwhile, and index.

    Args:
        home: The data directory.
        target: Is there whole, or not at all. Beside it there must be room for a second copy for a while.

    Raises:
        NotFound: There is no library in `home`.
        InvalidRequest: There is a file of that name.
        StorageError: It cannot be written.
    """
    if not (home / CATALOG_NAME).is_file():
        raise NotFound(f"there is no library in {home}", "name its data directory with --home or KB_HOME")
    if target.exists():
        raise InvalidRequest(f"{target} is there already", "choose another name, or remove it")
    with _storing(target), tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.parent) as folder:
        packed, catalog = Path(folder, "archive"), Path(folder, CATALOG_NAME)
        packed.touch(0o600)
        members: dict[str, str] = {}
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            for name in filter(lambda name: (home / name).is_file(), (*_DATABASES, *_FILES)):
                source = home / name
                if name in _DATABASES:
                    source = Path(folder, name)
                    copy_database(home / name, source)
                with source.open("rb") as file, archive.open(name, "w", force_zip64=True) as member:
                    members[name] = _copy(file, member, source.stat().st_size, name, report)
            documents, chunks = _counts(catalog)
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            manifest = Manifest(FORMAT, SCHEMA_VERSION, made_at, documents, chunks, members)
            archive.writestr(MANIFEST_NAME, json.dumps(asdict(manifest), indent=2))
        with packed.open("rb") as file:
            os.fsync(file.fileno())
        packed.replace(target)
    return manifest


def import_library(
    archive: Path, home: Path, folders: Mapping[str, str] | None = None, report: Report = lambda progress: None
) -> Manifest:
    """Makes a data directory of what `export_library` has written. After an interruption, the same call goes on.

    Args:
        home: Must have no library yet.
        folders: Watched folders that are elsewhere now: the old path to the new one.

    Raises:
        InvalidRequest: `home` has a library, or `archive` is none or damaged.
        SchemaMismatch: It was made by a newer version.
        NotFound: `folders` names a folder that is not in it.
        DataDirectoryLocked: Another process has `home` open.
        StorageError: It cannot be written.
    """
    with _storing(home), _opened(archive) as packed:
        manifest = read_manifest(packed, archive)
        lock = DataDirectoryLock(home)
        try:
            if (home / CATALOG_NAME).exists():
                raise InvalidRequest(
                    f"there is a library in {home} already", "import into an empty one: --home or KB_HOME names it"
                )
            stage = home / _STAGE_NAME
            stage.mkdir(0o700, exist_ok=True)
            for name, digest in manifest.members.items():
                _unpack(packed, name, digest, stage / name, report)
            _relocate(stage / CATALOG_NAME, folders or {})
            for name in [*(manifest.members.keys() - {CATALOG_NAME}), CATALOG_NAME]:  # the last makes it a library
                (stage / name).replace(home / name)
            shutil.rmtree(stage)
        finally:
            lock.release()
    return manifest


def read_manifest(packed: zipfile.ZipFile, path: Path) -> Manifest:
    """What is in an archive, and that this version can read it.

    Raises:
        InvalidRequest: It is no archive of a library.
        SchemaMismatch: It was made by a newer version.
    """
    try:
        with packed.open(MANIFEST_NAME) as file:
            manifest = Manifest(**json.loads(file.read(_LARGEST_MANIFEST_BYTES)))
        known = manifest.members.keys() <= {*_DATABASES, *_FILES} and CATALOG_NAME in manifest.members
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise _no_archive(path) from error
    if manifest.format > FORMAT or manifest.schema > SCHEMA_VERSION:
        raise SchemaMismatch(f"{path} was written by a newer r1-kb", "update r1-kb, and import it then")
    if not known:
        raise _no_archive(path)
    return manifest


def _unpack(packed: zipfile.ZipFile, name: str, digest: str, target: Path, report: Report) -> None:
    """Unpacks a member, unless that was done before; what is not as it was written is not kept."""
    if target.exists() and _digest(target) == digest:
        return
    target.unlink(missing_ok=True)
    target.touch(0o600)
    with packed.open(name) as member, target.open("wb") as file:
        found = _copy(member, file, packed.getinfo(name).file_size, name, report)
        os.fsync(file.fileno())
    if found != digest:
        target.unlink()
        raise InvalidRequest(f"{name} in {packed.filename} is damaged", "copy or export it again")


def _relocate(path: Path, folders: Mapping[str, str]) -> None:
    catalog = Catalog(path)
    try:
        for old, new in folders.items():
            if not catalog.ledger.move_folder(old, new):
                there = ", ".join(folder.root for folder in catalog.ledger.folders()) or "none"
                raise NotFound(f"no folder {old} is in this library", f"its folders: {there}")
        catalog.housekeeping.checkpoint()
    finally:
        catalog.close()


def _counts(path: Path) -> tuple[int, int]:
    catalog = Catalog(path)
    try:
        return catalog.counts()
    finally:
        catalog.close()


def _copy(source: IO[bytes], target: IO[bytes], size: int, name: str, report: Report) -> str:
    digest, done = hashlib.sha256(), 0
    while block := source.read(_BLOCK_BYTES):
        target.write(block)
        digest.update(block)
        done += len(block)
        report(Progress(name, done, size))
    return digest.hexdigest()


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def _opened(path: Path) -> Iterator[zipfile.ZipFile]:
    try:
        with zipfile.ZipFile(path) as packed:
            yield packed
    except FileNotFoundError as error:
        raise NotFound(f"there is no file {path}") from error
    except (zipfile.BadZipFile, EOFError) as error:
        raise _no_archive(path) from error


def _no_archive(path: Path) -> InvalidRequest:
    return InvalidRequest(f"{path} is no library, or damaged", "`kb export` makes one; copy or export it again")


@contextmanager
def _storing(where: Path) -> Iterator[None]:
    try:
        with suppress(FileNotFoundError):
            where = where.resolve()
        yield
    except (OSError, zipfile.LargeZipFile) as error:
        raise StorageError(
            f"{where} cannot be written: {error}", "check space and permissions, and run the same command again"
        ) from error

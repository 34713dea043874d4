"""A home of every released version opens with nothing lost, and one of a newer version is refused and left alone.

`homes/` has the catalog of each version, packed, as that version itself has written it, of a folder `/papers` with
`FILES`, of which `secret.md` was forgotten. `pytest tests/kb/test_upgrades.py --refresh` writes that of this version.
"""

import gzip
import hashlib
import importlib.metadata
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kb.catalog.catalog import Catalog
from kb.catalog.database import copy_database
from kb.catalog.migrations import SCHEMA_VERSION
from kb.data_directory import CATALOG_NAME
from kb.errors import SchemaMismatch
from kb.values.documents import FailureKind
from kb.wiring import open_knowledge_base
from tests.endurance.running import OpenStores
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, quick_settings, watching

HOMES = Path(__file__).with_name("homes")
VERSION = importlib.metadata.version("r1-kb")
SUFFIX = ".sqlite3.gz"
FOLDER = "/papers"
FILES = {
    "broken.pdf": "%PDF no more",
    "dome.md": "# Dome\n\nThe second dome was repaired in March.\n\n## Lantern\n\nThe lantern shines at night.\n",
    "notes/灯塔.md": "# 灯塔\n\n灯塔高三十一米，建于一九〇八年。\n",
    "secret.md": "# Secret\n\nThe safe opens with four turns.\n",
}
INDEXED = ["dome.md", "notes/灯塔.md"]


@pytest.fixture
def papers(tmp_path: Path) -> Path:
    for name, text in FILES.items():
        path = tmp_path / "papers" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tmp_path / "papers"


@pytest.fixture(params=sorted(path.name.removesuffix(SUFFIX) for path in HOMES.iterdir()))
def home(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    (tmp_path / "home").mkdir()
    unpack(HOMES / f"{request.param}{SUFFIX}", tmp_path / "home" / CATALOG_NAME)
    return tmp_path / "home"


def unpack(kept: Path, catalog: Path) -> None:
    catalog.write_bytes(gzip.decompress(kept.read_bytes()))


def schema_of(catalog: Path) -> int:
    with closing(sqlite3.connect(catalog)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_home_of_this_version_is_kept(request: pytest.FixtureRequest, tmp_path: Path, papers: Path) -> None:
    kept = HOMES / f"{VERSION}{SUFFIX}"
    if request.config.getoption("refresh"):
        settings = quick_settings(tmp_path / "home")
        with watching(settings, papers) as watched:
            watched.sync()
            watched.knowledge_base.forget(watched.documents["secret.md"].id)
            watched.sync()
        with closing(Catalog(settings.home / CATALOG_NAME)) as catalog:
            catalog.ledger.move_folder(str(papers), FOLDER)
            catalog.housekeeping.vacuum()
        copy_database(settings.home / CATALOG_NAME, tmp_path / "copy")
        kept.write_bytes(gzip.compress((tmp_path / "copy").read_bytes(), mtime=0))
    hint = "run pytest tests/kb/test_upgrades.py --refresh"
    assert kept.is_file(), hint
    unpack(kept, tmp_path / "unpacked")
    assert schema_of(tmp_path / "unpacked") == SCHEMA_VERSION, hint


def test_home_of_a_released_version_answers_before_any_file_is_read(home: Path) -> None:
    embedder = FakeEmbedder()
    settings = quick_settings(home)
    with open_fake_knowledge_base(settings, embedder=embedder, stores=OpenStores(home)) as knowledge_base:
        knowledge_base.wait_for_index()
        assert [document.file.source for document in knowledge_base.documents()] == INDEXED
        assert "second dome" in knowledge_base.search("When was the second dome repaired?", 1)[0].text
        assert "三十一米" in knowledge_base.search("灯塔有多高", 1)[0].text
        assert not [text for text in embedder.embedded if "second dome was" in text or "三十一米" in text]
        assert knowledge_base.ask("When was the second dome repaired?").answerable
        failures = {failure.file.source: failure.kind for failure in knowledge_base.failures()}
        assert failures == {"broken.pdf": FailureKind.UNREADABLE, "secret.md": FailureKind.FORGOTTEN}
        assert [folder.root for folder in knowledge_base.folders()] == [FOLDER]
    assert schema_of(home / CATALOG_NAME) == SCHEMA_VERSION


def test_home_of_a_released_version_follows_its_folder(home: Path, papers: Path) -> None:
    with closing(Catalog(home / CATALOG_NAME)) as catalog:
        before = {document.file.source: document.id for document in catalog.documents()}
        catalog.ledger.move_folder(FOLDER, str(papers))
    (papers / "secret.md").unlink()
    with watching(quick_settings(home), papers) as watched:
        watched.sync()
        assert {name: document.id for name, document in watched.documents.items()} == before
        watched.write("dome.md", "# Dome\n\nThe third dome was repaired in April.\n")
        watched.sync()
        assert watched.finds("third dome") == ["dome.md"]
        assert watched.finds("second dome") == []


def content(home: Path) -> dict[str, str]:
    """What is in a data directory, but for the lock."""
    files = (path for path in home.rglob("*") if path.is_file() and path.name != "lock")
    return {str(path.relative_to(home)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_home_of_a_newer_version_is_refused_and_left_as_it_is(home: Path, papers: Path) -> None:
    with closing(sqlite3.connect(home / CATALOG_NAME)) as connection:
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    before = content(home)
    for _ in range(2):
        with pytest.raises(SchemaMismatch, match=f"newer r1-kb .schema {SCHEMA_VERSION + 1}") as caught:
            open_knowledge_base(quick_settings(home, folders=[papers]))
        assert "update r1-kb, or point KB_HOME at another folder" in caught.value.hint
        assert content(home) == before

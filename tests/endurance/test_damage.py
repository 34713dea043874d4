import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.catalog.database import MADE_ANEW
from kb.errors import StorageError
from kb.wiring import CATALOG_NAME, INDEX_NAME, open_knowledge_base
from tests.endurance.comparing import Words
from tests.endurance.running import running
from tests.endurance.service import Service
from tests.harness import eventually, quick_settings

SECTIONS_PER_FILE = 120  # with 10 files more than 1,000 vectors, from which on Chroma writes its graph to disk


def cut_in_half(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size // 2)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def fill_with_noise(path: Path) -> None:
    path.write_bytes(random.Random(path.name).randbytes(path.stat().st_size))


def remove(path: Path) -> None:
    path.unlink()


DAMAGES = (cut_in_half, empty, fill_with_noise, remove)

CRASHING = (("header.bin", cut_in_half), ("link_lists.bin", cut_in_half))
"""What kills a process that opens the index; tried in the short version, too."""


@pytest.mark.timeout(120)
def test_catalog_that_is_damaged_and_removed_as_the_error_says_is_made_anew(folder: Path, tmp_path: Path) -> None:
    settings, words = quick_settings(tmp_path / "home"), Words(random.Random(3))
    catalog = settings.home / CATALOG_NAME
    for number in range(3):
        (folder / f"{number}.md").write_text(words.text(5))
    with running(settings, folder) as watched:
        assert watched.differences(words.made) == []
        log = catalog.with_name(f"{CATALOG_NAME}-wal").read_bytes()
    fill_with_noise(catalog)
    with pytest.raises(StorageError) as caught:
        open_knowledge_base(settings)
    assert caught.value.hint == MADE_ANEW
    catalog.unlink()
    catalog.with_name(f"{CATALOG_NAME}-wal").write_bytes(log)  # as a crash leaves it behind
    (old,) = (settings.home / INDEX_NAME).iterdir()
    with running(settings, folder) as watched:
        assert watched.differences(words.made) == []
        assert len(watched.documents) == 3
        assert eventually(lambda: not old.exists())


@pytest.mark.slow
def test_damaged_index_is_rebuilt_and_nothing_embedded(
    folder: Path, tmp_path: Path, dice: random.Random, scaled: Callable[[int, int], int]
) -> None:
    words = Words(dice)
    home, log = tmp_path / "home", tmp_path / "embedded"
    for number in range(10):
        (folder / f"{number}.md").write_text(words.text(SECTIONS_PER_FILE))
    with running(quick_settings(home), folder) as watched:
        assert watched.differences(words.made) == []
    files = sorted(path.relative_to(home) for path in (home / INDEX_NAME).rglob("*") if path.is_file())
    assert {"chroma.sqlite3", "link_lists.bin", "header.bin", "data_level0.bin"} <= {path.name for path in files}
    cases = [(path, damage) for path in files for damage in DAMAGES]

    log.touch()

    def try_with(do_damage: Callable[[Path], object], damaged: Path) -> None:
        what = f"{do_damage.__name__} {damaged}"
        copy = tmp_path / "copy"
        shutil.copytree(home, copy)
        do_damage(copy / damaged)
        with Service(copy, folder, log) as service:
            assert service.differences(dice.sample(words.made, 20)) == [], what
            assert len(service.found) == 10, what
        assert log.read_text() == "", what
        shutil.rmtree(copy)

    try_with(shutil.rmtree, Path(INDEX_NAME))
    worst = [(path, damage) for path, damage in cases if (path.name, damage) in CRASHING]
    others = [case for case in cases if case not in worst]
    for path, damage in [*worst, *dice.sample(others, scaled(1, len(others)))]:
        try_with(damage, path)

"""How long these tests run: short ones by default, those of the promises with `--full`; `--seed` changes their dice."""

import random
from collections.abc import Callable
from pathlib import Path

import pytest

SHORT_SECONDS = 120


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        is_full, own = config.getoption("full"), item.get_closest_marker("timeout")
        if here in item.path.parents and (is_full or (item.get_closest_marker("slow") and not own)):
            seconds = 0 if is_full else SHORT_SECONDS
            item.add_marker(pytest.mark.timeout(seconds), append=False)


@pytest.fixture
def scaled(request: pytest.FixtureRequest) -> Callable[[int, int], int]:
    """Gives the short count, or the full one with `--full`."""
    full = request.config.getoption("full")
    return lambda short_count, full_count: full_count if full else short_count


@pytest.fixture
def dice(request: pytest.FixtureRequest) -> random.Random:
    """The same at each run with the same `--seed`."""
    return random.Random(request.config.getoption("seed"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An empty folder to watch."""
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder

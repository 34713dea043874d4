import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endurance.comparing import Words
from tests.endurance.running import running
from tests.harness import eventually, quick_settings

SECTIONS = 60
MAINTENANCE_SECONDS = 60


def size_of(home: Path) -> int:
    """Bytes that the files of a folder have, those that vanish meanwhile left out."""
    total = 0
    for path in home.rglob("*"):
        try:
            total += path.stat().st_size if path.is_file() else 0
        except FileNotFoundError:
            continue
    return total


@pytest.mark.slow
def test_many_edits_of_a_file_take_at_most_twice_the_room_of_a_fresh_index(
    folder: Path, tmp_path: Path, dice: random.Random, scaled: Callable[[int, int], int]
) -> None:
    words = Words(dice)
    edited, fresh = tmp_path / "edited", tmp_path / "fresh"
    at_once = {"settle_seconds": 0.0}
    with running(quick_settings(edited, **at_once), folder) as watched:
        for _ in range(scaled(100, 1000)):
            watched.write("report.md", words.text(SECTIONS))
            watched.sync()
        with running(quick_settings(fresh, **at_once), folder) as other:
            other.sync()
        allowed = 2 * size_of(fresh)
        assert eventually(lambda: size_of(edited) <= allowed, MAINTENANCE_SECONDS), (size_of(edited), allowed)
        assert watched.finds(words.made[-1]) == ["report.md"]

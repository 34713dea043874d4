import random
from collections.abc import Callable, Collection
from pathlib import Path

import pytest

from tests.endurance.comparing import Words
from tests.endurance.operations import Operations
from tests.endurance.privileges import run_without_privileges
from tests.endurance.running import running
from tests.harness import quick_settings


@pytest.mark.slow
def test_index_equals_the_folder_whatever_is_done_to_it_while_it_is_watched_and_while_not(
    folder: Path,
    tmp_path: Path,
    dice: random.Random,
    scaled: Callable[[int, int], int],
) -> None:
    count = scaled(80, 1000)
    words = Words(dice)
    outside = tmp_path / "outside"
    outside.mkdir()
    settings = quick_settings(tmp_path / "home")

    def play(can_forbid: bool) -> None:
        without: Collection[str] = () if can_forbid else ("forbid", "allow")
        operations = Operations(folder, outside, words, dice, pause_seconds=0.1, without=without)
        for is_first in (True, False):
            with running(settings, folder) as watched:
                if is_first:
                    operations.run(count, pause_seconds=0.05)
                assert watched.differences(words.made) == []
            if is_first:
                operations.run(count)

    run_without_privileges(play)

import hashlib
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endurance.comparing import Words
from tests.endurance.operations import Operations
from tests.endurance.service import Listing, Service, committed_embeddings

LONGEST_START_SECONDS = 2.5
LONGEST_RUN_SECONDS = 1.2

RETURNING = ("move_folder_out", "move_folder_in", "forbid", "allow")
"""What makes a text go and come back; it may be embedded again, as its embedding may have been given up between."""


def still_true(listed: Listing, folder: Path) -> Listing:
    """What of a listing is so in the folder now: nobody may take that out of the index."""
    return {
        source: sha256
        for source, sha256 in listed.items()
        if (folder / source).is_file() and hashlib.sha256((folder / source).read_bytes()).hexdigest() == sha256
    }


@pytest.mark.slow
def test_killed_service_loses_nothing_keeps_no_ghosts_and_embeds_nothing_twice(
    folder: Path, tmp_path: Path, dice: random.Random, scaled: Callable[[int, int], int]
) -> None:
    home, log = tmp_path / "home", tmp_path / "embedded"
    outside = tmp_path / "outside"
    outside.mkdir()
    log.touch()
    words = Words(dice)
    operations = Operations(folder, outside, words, dice, pause_seconds=0.05, without=RETURNING)
    operations.run(40)
    acknowledged: Listing = {}
    known: set[str] = set()
    embedded_before = 0

    def check_nothing_is_embedded_again() -> None:
        embedded_now = log.read_text().split()[embedded_before:]
        assert known.intersection(embedded_now) == set()

    for number in range(scaled(6, 100)):
        with Service(home, folder, log) as service:
            if number % 3 == 1:
                time.sleep(dice.uniform(0, LONGEST_START_SECONDS))
            else:
                service.wait_until_open()
                until = time.monotonic() + dice.uniform(0, LONGEST_RUN_SECONDS)
                while time.monotonic() < until:
                    operations.run(1, pause_seconds=0.05)
        if service.has_opened:  # else it has said nothing, and what was said before holds
            assert acknowledged.items() <= service.found.items(), f"lost at kill {number}"
            acknowledged = service.listed
        check_nothing_is_embedded_again()
        acknowledged = still_true(acknowledged, folder)
        known, embedded_before = committed_embeddings(home), len(log.read_text().split())

    with Service(home, folder, log) as service:
        assert service.differences(words.made) == []
        assert acknowledged.items() <= service.found.items()
    check_nothing_is_embedded_again()

"""What the whole service takes, whatever is dropped into the folder; the answering model is not there."""

import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

WATCHED_SECONDS = 40.0
MOST_BYTES = 1_500_000_000


def ligatures() -> str:
    """12 MB; each character becomes 18 when it is normalised."""
    return ("\ufdfa" * 40 + "\n") * 100_000


def chinese() -> str:
    """19 million characters in paragraphs of some sentences."""
    dice = random.Random(1)
    characters = [chr(dice.randint(0x4E00, 0x9FA5)) for _ in range(3000)]
    sentences = ["".join(dice.choices(characters, k=dice.randint(8, 40))) + "。" for _ in range(100_000)]
    paragraphs = ("".join(dice.choices(sentences, k=dice.randint(3, 12))) for _ in range(100_000))
    return "\n\n".join(paragraphs)[:19_000_000]


def resident_bytes(process: psutil.Process) -> int:
    """Of a process and all its children."""
    total = 0
    for member in (process, *process.children(recursive=True)):
        try:
            total += member.memory_info().rss
        except psutil.Error:
            continue
    return total


@pytest.mark.slow
@pytest.mark.models
@pytest.mark.timeout(180)
@pytest.mark.parametrize("text", [ligatures, chinese])
def test_the_service_stays_within_its_memory_whatever_is_dropped(
    folder: Path, tmp_path: Path, text: Callable[[], str]
) -> None:
    (folder / "large.txt").write_text(text())
    command = [sys.executable, "-m", "tests.endurance.watching_folder", tmp_path / "home", folder]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as service:
        assert service.stdin
        assert service.stdout
        synced = threading.Event()
        threading.Thread(target=lambda: service.stdout.readline() and synced.set(), daemon=True).start()
        peak, until = 0, time.monotonic() + WATCHED_SECONDS
        while time.monotonic() < until and not synced.wait(0.05):
            assert service.poll() is None
            peak = max(peak, resident_bytes(psutil.Process(service.pid)))
        service.stdin.close()
        assert service.wait(60) == 0
    print(f"{peak / 1e6:.0f} MB at the most")
    assert peak < MOST_BYTES

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil
import pytest

from tests.endurance.comparing import differences
from tests.endurance.mixed_load import MixedLoad
from tests.endurance.served_process import ServedProcess, serving_process
from tests.harness import eventually, open_fake_knowledge_base, quick_settings

FAKE_SERVICE = ("-m", "tests.endurance.fake_service")
WEIGH_SECONDS = 0.25
MORE_FILES = 24
"""So many more may be open at the end than in the beginning: connections, and what answers are read from."""


@contextmanager
def weighing(served: ServedProcess) -> Iterator[tuple[list[int], list[int]]]:
    """Notes bytes of memory and numbers of open files, again and again, until the block ends."""
    process, is_over = psutil.Process(served.process.pid), threading.Event()
    memory: list[int] = []
    files: list[int] = []

    def weigh() -> None:
        while not is_over.wait(WEIGH_SECONDS):
            memory.append(process.memory_info().rss)
            files.append(process.num_fds())

    thread = threading.Thread(target=weigh)
    thread.start()
    try:
        yield memory, files
    finally:
        is_over.set()
        thread.join()


def early_and_late(values: Sequence[int]) -> tuple[float, float]:
    """The medians of the middle fifth, when caches are filled, and of the last one."""
    fifth = len(values) // 5
    return median(values[2 * fifth : 3 * fifth]), median(values[-fifth:])


@pytest.mark.slow
def test_mixed_load_loses_nothing_and_leaves_the_index_equal_to_the_folder(
    folder: Path, tmp_path: Path, dice: random.Random, scaled: Callable[[int, int], int]
) -> None:
    home = tmp_path / "home"
    count, seconds = scaled(150, 10_000), scaled(5, 600)
    with serving_process(folder, {"KB_HOME": str(home)}, tmp_path / "log", FAKE_SERVICE) as served:
        load = MixedLoad(str(served.client.base_url), folder, count, seconds, dice.randrange(1000))
        with weighing(served) as (memory, files):
            load.run()
        for (name, status), times in sorted(load.answers.items()):
            print(f"{name}: {status or 'left'} {times} times")
        print(f"{early_and_late(memory)} bytes, {early_and_late(files)} files, early and late")
        print("MB, twenty times:", [memory[len(memory) * part // 20] // 1_000_000 for part in range(20)])
        assert load.wrong == []
        assert load.answers.total() == count
        served.post("/sync")
        assert eventually(lambda: served.get("/status")["index"]["pending"] == 0)
        assert {each["source"] for each in served.get("/documents")["documents"]} == {
            path.name for path in folder.iterdir()
        }
        early, late = early_and_late(files)
        assert late - early <= MORE_FILES
        early, late = early_and_late(memory)
        assert late / early < scaled(150, 110) / 100
        served.stop()
        assert served.process.returncode == 0, served.log.read_text()
    with open_fake_knowledge_base(quick_settings(home)) as knowledge_base:
        knowledge_base.wait_for_index()
        assert differences(folder, knowledge_base, load.words) == []

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from kb.settings import Settings
from tests.endurance.hostile import HOSTILE, write_long_pdf, write_sparse
from tests.harness import watching

SYNC_SECONDS = 600
PARENT_MAY_GROW_BYTES = 400_000_000


@contextmanager
def memory_within(bytes_more: int) -> Iterator[None]:
    """Watches how much this process, without its children, grows."""
    process = psutil.Process()
    before, peak = process.memory_info().rss, 0
    is_over = threading.Event()

    def watch() -> None:
        nonlocal peak
        while not is_over.wait(0.02):
            peak = max(peak, process.memory_info().rss)

    watching_memory = threading.Thread(target=watch)
    watching_memory.start()
    try:
        yield
    finally:
        is_over.set()
        watching_memory.join()
    assert peak - before < bytes_more, f"grew by {(peak - before) / 1e6:.0f} MB"


@pytest.mark.slow
def test_hostile_files_end_as_documents_or_failures_and_stop_nothing(
    settings: Settings, folder: Path, scaled: Callable[[int, int], int]
) -> None:
    strict = settings.model_copy(update={"parse_seconds": float(scaled(5, 120)), "parse_memory_bytes": 1_000_000_000})
    with watching(strict, folder) as watched, memory_within(PARENT_MAY_GROW_BYTES):
        for name, write in HOSTILE.items():
            write(folder / name)
        watched.write("zz-good.md", "# Good\n\nThe second dome was repaired in March.\n")
        assert watched.pipeline.sync(SYNC_SECONDS)
        assert {*watched.sources, *watched.reasons} == {*HOSTILE, "zz-good.md"}
        assert all(failure.reason.strip() for failure in watched.failures.values())
        assert {"bomb.pdf", "sparse.md"} <= watched.reasons.keys()
        assert watched.documents["endless-pages.pdf"].unread_pages == (1, 2)
        assert watched.finds("second dome") == ["zz-good.md"]
        for document in watched.documents.values():
            assert "\x00" not in watched.knowledge_base.text(document.id), document.file.source


@pytest.mark.slow
def test_very_long_pdf_is_read_to_its_end(settings: Settings, folder: Path, scaled: Callable[[int, int], int]) -> None:
    pages = scaled(1000, 10_000)
    write_long_pdf(folder / "long.pdf", pages)
    with watching(settings, folder) as watched, memory_within(PARENT_MAY_GROW_BYTES):
        assert watched.pipeline.sync(SYNC_SECONDS)
        assert watched.reasons == {}
        assert watched.documents["long.pdf"].page_count == pages
        assert pages in [passage.page for passage in watched.knowledge_base.search(f"Page {pages} tells", 10)]


def test_file_of_a_gigabyte_is_refused_by_its_size_and_not_read(settings: Settings, folder: Path) -> None:
    write_sparse(folder / "large.md", 1_000_000_000)
    with watching(settings, folder) as watched, memory_within(100_000_000):
        began = time.monotonic()
        watched.sync()
        assert time.monotonic() - began < 10
        (failure,) = watched.knowledge_base.failures()
        assert "1,000,000,000 bytes" in failure.reason
        assert failure.file.sha256 == ""

"""What one look at the folders has left to do."""

import os
from pathlib import Path

from ingest.pipeline.reconciler import SMALL_BYTES, Reconciler
from server.settings import ServerSettings
from tests.harness import open_fake_knowledge_base


def test_small_files_come_first_and_of_these_the_latest(settings: ServerSettings, folder: Path) -> None:
    sizes = {"a": SMALL_BYTES * 3, "b": SMALL_BYTES * 2, "c": 10, "d": SMALL_BYTES, "e": 20}
    for hours, (name, size_bytes) in enumerate(sizes.items()):
        path = folder / f"{name}.md"
        path.write_text("x" * size_bytes)
        os.utime(path, (1.7e9 + 3600 * hours,) * 2)
    with open_fake_knowledge_base(settings) as knowledge_base:
        plan = Reconciler(knowledge_base, [folder], settings, lambda: None).look()
    assert [file.source for file in plan.ready] == ["e.md", "d.md", "c.md", "b.md", "a.md"]

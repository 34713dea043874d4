"""What one look at the folders has left to do, and when it ends before."""

import os
from pathlib import Path

import pytest

from ingest.pipeline.reconciler import SMALL_BYTES, Reconciler
from server.settings import ServerSettings
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, watching


class Stopped(Exception):
    pass


def test_small_files_come_first_and_of_these_the_latest(settings: ServerSettings, folder: Path) -> None:
    sizes = {"a": SMALL_BYTES * 3, "b": SMALL_BYTES * 2, "c": 10, "d": SMALL_BYTES, "e": 20}
    for hours, (name, size_bytes) in enumerate(sizes.items()):
        path = folder / f"{name}.md"
        path.write_text("x" * size_bytes)
        os.utime(path, (1.7e9 + 3600 * hours,) * 2)
    with open_fake_knowledge_base(settings) as knowledge_base:
        plan = Reconciler(knowledge_base, [folder], settings, lambda: None).look()
    assert [file.source for file in plan.ready] == ["e.md", "d.md", "c.md", "b.md", "a.md"]


def test_look_ends_in_the_middle_when_it_is_no_longer_wanted(settings: ServerSettings, folder: Path) -> None:
    for number in range(20):
        (folder / f"{number}.md").write_text("text")
    (folder / ".kbignore").write_text("x\n" * 50)
    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls == 100:
            raise Stopped

    with open_fake_knowledge_base(settings) as knowledge_base:
        reconciler = Reconciler(knowledge_base, [folder], settings, check)
        with pytest.raises(Stopped):
            reconciler.look()
    assert calls == 100


def test_files_are_cut_anew_for_a_model_that_reads_less_and_for_no_other(
    settings: ServerSettings, folder: Path
) -> None:
    (folder / "long.md").write_text("The quick brown fox jumps over the lazy dog again. " * 200)
    little = FakeEmbedder("little")
    little.max_tokens = 40
    seen = []
    for embedder in (FakeEmbedder(), FakeEmbedder("other"), little, little):
        with watching(settings, folder, embedder=embedder) as watched:
            watched.sync()
            (document,) = watched.knowledge_base.documents()
            seen.append((document.recipe.endswith("read: 40"), document.chunk_count, document.indexed_at))
    assert seen[0] == seen[1]
    assert seen[2] == seen[3]
    assert seen[2][0] > seen[0][0]
    assert seen[2][1] > 1.5 * seen[0][1]

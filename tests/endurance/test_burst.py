import random
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.endurance.comparing import Words
from tests.endurance.running import running
from tests.harness import DeafWatcher, quick_settings


@pytest.mark.slow
def test_one_sync_finds_all_of_a_burst_of_which_every_event_was_lost(
    folder: Path,
    tmp_path: Path,
    dice: random.Random,
    scaled: Callable[[int, int], int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ingest.pipeline.pipeline.FolderWatcher", DeafWatcher)
    words = Words(dice)
    with running(quick_settings(tmp_path / "home"), folder) as watched:
        watched.sync()
        for number in range(scaled(300, 2000)):
            watched.write(f"{number % 7}/{number % 5}/{number}.md", words.text(sentences=2))
        assert watched.sources == []
        assert watched.differences(words.made) == []

        embedded = len(watched.embedder.embedded)
        changed = 0
        for number, path in enumerate(sorted(folder.rglob("*.md"))):
            match number % 4:
                case 0:
                    path.unlink()
                case 1:
                    path.rename(path.with_stem(f"moved-{path.stem}"))
                case 2:
                    path.write_text(f"{path.read_text()}\n\n## News\n\nMore of {words.word()}.\n")
                    changed += 1
        assert watched.differences(words.made) == []
        assert len(watched.embedder.embedded) - embedded == changed

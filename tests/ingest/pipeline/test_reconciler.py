from pathlib import Path

import pytest

from ingest.pipeline.reconciler import Reconciler
from kb.settings import Settings
from tests.harness import open_fake_knowledge_base, quick_settings


class Stopped(Exception):
    pass


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return quick_settings(tmp_path / "home")


def test_look_ends_in_the_middle_when_it_is_no_longer_wanted(settings: Settings, tmp_path: Path) -> None:
    folder = tmp_path / "papers"
    folder.mkdir()
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
        reconciler = Reconciler(knowledge_base, [folder], quick_settings(tmp_path / "home"), check)
        with pytest.raises(Stopped):
            reconciler.look()
    assert calls == 100

"""What a client may choose, where several folders are watched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from server.http.openai.offers import UnknownModel, find_offer, offers
from tests.harness import Watched, quick_settings, watching


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    papers, notes = tmp_path / "papers", tmp_path / "notes"
    for folder, source in ((papers, "2024/a.md"), (papers, "b.md"), (notes, "2024/c.md"), (notes, "2025/d/e.md")):
        (folder / source).parent.mkdir(parents=True, exist_ok=True)
        (folder / source).write_text(f"The kiln is lit, says {source}.\n")
    with watching(quick_settings(tmp_path / "home"), papers, notes) as watched:
        assert watched.pipeline.sync(15)
        yield watched


def test_watched_folders_and_those_right_below_are_offered(watched: Watched) -> None:
    knowledge_base = watched.knowledge_base
    knowledge_base.models.wait_for_model(15)
    assert [offer.id for offer in offers(knowledge_base)] == [
        *("r1-kb", "r1-kb/2024", "r1-kb/2025", "r1-kb/notes", "r1-kb/papers"),
        "fake",
    ]
    found = {}
    for name in ("r1-kb", "r1-kb/2024", "r1-kb/notes"):
        filters = find_offer(knowledge_base, name).filters
        assert filters is not None
        found[name] = {passage.source for passage in knowledge_base.search("kiln", 50, filters)}
    assert found == {
        "r1-kb": {"2024/a.md", "b.md", "2024/c.md", "2025/d/e.md"},
        "r1-kb/2024": {"2024/a.md", "2024/c.md"},
        "r1-kb/notes": {"2024/c.md", "2025/d/e.md"},
    }


def test_other_names_are_unknown(watched: Watched) -> None:
    for name in ("", "r1-kb/", "r1-kb/2026", "2024"):
        with pytest.raises(UnknownModel, match="is called"):
            find_offer(watched.knowledge_base, name)

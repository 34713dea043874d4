import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from kb.adapters.chroma.local import ChromaIndex, ChromaStores
from kb.indexing.live_index import EMBEDDINGS_PER_COMMIT
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder
from tests.kb.indexing.index_harness import running
from tests.kb.indexing.mortal_stores import Killed, MortalStores

WHALE, FOX, CAT = "the blue whale", "the red fox", "知识库里的猫"

MORE_THAN_A_STEP = EMBEDDINGS_PER_COMMIT + 20

MANY = 1300
"""Chroma writes its files from a thousand vectors on."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(scope="module")
def large_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("large") / "home"
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(*map(text, range(MANY)))
        assert len(process.index.ids()) == MANY
    return home


def text(number: int) -> str:
    """Texts that have little in common, as an approximate index finds near ones only most of the time."""
    return " ".join(f"{(number + 1) * factor % 10_007:x}" for factor in (7919, 6271, 5501, 4801, 3907, 3001))


def chroma_files(home: Path) -> list[Path]:
    return sorted(path for path in (home / "chroma").rglob("*") if path.is_file())


def generations(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "chroma").iterdir())


def assert_heals(home: Path) -> str:
    """A start finds everything by its vector, and the embedding model embeds nothing; gives the generation."""
    with running(home, ChromaStores(home / "chroma")) as process:
        process.assert_in_step()
        assert process.embedder.embedded == []
        for number in range(0, MANY, 13):
            vector = process.embedder.embed_query(text(number))
            _, similarity = process.index.search(vector, 1)[0]
            assert similarity == pytest.approx(1.0, abs=1e-4), "its vector is there, not only its id"
        process.write(WHALE, source="new.md")
        assert WHALE in process.found("the blue whale")
        process.assert_in_step()
        assert generations(home) == [process.generation]
        return process.generation


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": lambda path: path.unlink(),
    "short of its end": lambda path: path.write_bytes(path.read_bytes()[: int(path.stat().st_size * 0.95)]),
}


@pytest.mark.parametrize("damage", DAMAGES)
@pytest.mark.parametrize(
    "name",
    [
        "chroma.sqlite3",
        "data_level0.bin",
        "header.bin",
        "index_metadata.pickle",
        "length.bin",
        "link_lists.bin",
    ],
)
def test_store_with_any_file_damaged_is_made_anew_and_embeds_nothing(
    large_home: Path, home: Path, name: str, damage: str
) -> None:
    shutil.copytree(large_home, home)
    (path,) = (home / "chroma").rglob(name)
    DAMAGES[damage](path)
    assert_heals(home)


def test_the_files_of_a_store_are_those_that_are_damaged_above(large_home: Path) -> None:
    assert {path.name for path in chroma_files(large_home)} == {
        "chroma.sqlite3",
        "data_level0.bin",
        "header.bin",
        "index_metadata.pickle",
        "length.bin",
        "link_lists.bin",
    }


@pytest.mark.parametrize("damage", DAMAGES)
def test_small_store_with_its_database_damaged_is_made_anew(home: Path, damage: str) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(WHALE, FOX)
    (path,) = (home / "chroma").rglob("chroma.sqlite3")
    DAMAGES[damage](path)
    with running(home, ChromaStores(home / "chroma")) as process:
        process.assert_in_step()
        assert process.embedder.embedded == []


def test_sound_index_is_opened_and_not_made_anew(home: Path) -> None:
    stores = ChromaStores(home / "chroma")
    with running(home, stores) as process:
        process.write(WHALE)
        before = process.generation
    with running(home, stores) as process:
        assert process.generation == before
        assert process.maintain() == 0


def test_index_of_a_version_without_generations_and_leftovers_are_removed(home: Path) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(WHALE)
    old_place = ChromaIndex(home / "chroma", "fake")
    old_place.upsert(["a"], FakeEmbedder().embed_passages(["a"]))
    old_place.close()
    ChromaStores(home / "chroma").create("left-over", "fake").close()
    with running(home, ChromaStores(home / "chroma")) as process:
        assert generations(home) == [process.generation]
        assert process.found("blue whale") == [WHALE]


# Another embedding model


def test_another_model_embeds_all_while_the_one_before_answers(home: Path) -> None:
    stores, old, new = FakeIndexStores(), FakeEmbedder("old"), FakeEmbedder("new")
    with running(home, stores, old) as process:
        process.write(WHALE, FOX, WHALE, source="a.md", context="Animals")
        process.write(CAT, source="b.md")
    old.embedded.clear()
    with running(home, stores, new, before=(old,)) as process:
        assert new.embedded == []
        assert process.live_index.serving.embedder is old
        assert process.found("猫")[0] == CAT
        progress = process.upkeep.progress
        assert progress is not None
        assert (progress.done, progress.total, progress.unit) == (0, 3, "chunks")
        process.maintain()
        assert sorted(new.embedded) == sorted([f"Animals\n{WHALE}", f"Animals\n{FOX}", CAT])
        assert process.live_index.serving.embedder is new
        assert process.upkeep.progress is None
        assert process.catalog.embeddings.spaces() == ["new"]
        assert process.found("猫")[0] == CAT
        process.assert_in_step()
    assert old.embedded == []
    new.embedded.clear()
    with running(home, stores, new) as process:
        process.assert_in_step()
        assert process.maintain() == 0
    assert new.embedded == []


def test_documents_that_change_while_another_model_embeds_are_found_before_and_after(home: Path) -> None:
    stores, old, new = FakeIndexStores(), FakeEmbedder("old"), FakeEmbedder("new")
    with running(home, stores, old) as process:
        for number in range(100):
            process.write(f"the text number {number}", source=f"{number}.md")
    with running(home, stores, new, before=(old,)) as process:
        process.maintain(3)
        process.write(WHALE, source="0.md")
        process.write(FOX, source="new.md")
        process.live_index.remove(process.catalog.document_id("/notes", "1.md") or "")
        assert process.live_index.serving.embedder is old
        assert WHALE in process.found(WHALE)
        process.assert_in_step()
        process.maintain()
        assert process.live_index.serving.embedder is new
        assert {WHALE, FOX} <= {*process.found(WHALE), *process.found(FOX)}
        process.assert_in_step()


def test_where_the_model_before_is_gone_words_answer_and_vectors_as_they_come(home: Path) -> None:
    stores, new = FakeIndexStores(), FakeEmbedder("new")
    with running(home, stores, FakeEmbedder("old")) as process:
        for number in range(MORE_THAN_A_STEP):
            process.write(f"the text number {number}", source=f"{number}.md")
    with running(home, stores, new) as process:
        assert process.found("number 77"), "by its words"
        assert process.index.ids() == set()
        process.maintain(2)
        assert 0 < len(process.index.ids()) < MORE_THAN_A_STEP
        first = len(new.embedded)
        assert first == len(process.index.ids())
    again = FakeEmbedder("new")
    with running(home, stores, again) as process:
        assert len(process.index.ids()) == first, "it goes on where it stopped"
        process.maintain()
        process.assert_in_step()
    assert len(again.embedded) == MORE_THAN_A_STEP - first


def test_restart_while_another_model_embeds_goes_on_where_it_stopped(home: Path) -> None:
    stores, old = FakeIndexStores(), FakeEmbedder("old")
    with running(home, stores, old) as process:
        process.write(*(f"the text number {number}" for number in range(100)))
    embedded = 0
    for steps in (1, 2, 3, 1, 1000):
        new = FakeEmbedder("new")
        with running(home, stores, new, before=(old,)) as process:
            process.assert_in_step()
            process.maintain(steps)
            embedded += len(new.embedded)
    assert embedded == 100
    with running(home, stores, FakeEmbedder("new")) as process:
        process.assert_in_step()
        assert process.catalog.embeddings.spaces() == ["new"]


def test_going_back_to_the_model_before_needs_only_what_is_new(home: Path) -> None:
    stores, old, new = FakeIndexStores(), FakeEmbedder("old"), FakeEmbedder("new")
    with running(home, stores, old) as process:
        process.write(*(f"the text number {number}" for number in range(100)))
    with running(home, stores, new) as process:
        process.maintain(2)
    old.embedded.clear()
    with running(home, stores, old, before=(new,)) as process:
        process.maintain()
        process.assert_in_step()
        assert process.live_index.serving.embedder is old
    assert old.embedded == []


def test_embeddings_computed_anew_replace_the_old_ones_when_all_are_there(home: Path) -> None:
    stores = FakeIndexStores()
    with running(home, stores) as process:
        process.write(*(f"the text number {number}" for number in range(MORE_THAN_A_STEP)))
        process.embedder.embedded.clear()
        process.catalog.ledger.add("revision")
        process.maintain(2)
        before = len(process.embedder.embedded)
        assert 0 < before < MORE_THAN_A_STEP
        assert process.live_index.serving.space.key == "fake"
        process.assert_in_step()
    with running(home, stores) as process:
        assert process.live_index.serving.space.key == "fake"
        process.maintain()
        assert process.live_index.serving.space.key == "fake#1"
        assert before + len(process.embedder.embedded) == MORE_THAN_A_STEP
        assert process.catalog.embeddings.spaces() == ["fake#1"]
        process.assert_in_step()
        process.write(WHALE)
        process.assert_in_step()


# Dying anywhere


@pytest.mark.parametrize("wish", ["forget", "renewals", "revision"])
def test_a_process_that_ends_between_any_two_writes_heals_at_the_next_start(tmp_path: Path, wish: str) -> None:
    for writes in range(100):
        stores, home = MortalStores(), tmp_path / str(writes)
        with running(home, stores) as process:
            process.write(WHALE, FOX, source="a.md")
            unwanted = process.write(CAT, source="b.md")
        survived = False
        with suppress(Killed), running(home, stores) as process:
            stores.writes_left = writes
            if wish == "forget":
                process.live_index.forget(unwanted)
            else:
                process.catalog.ledger.add("revision" if wish == "revision" else "renewals")
            process.maintain()
            survived = True
        stores.writes_left = 1_000_000
        with running(home, stores) as process:
            process.assert_in_step()
            assert process.found("whale fox")[0] == f"{WHALE}\n{FOX}"
            assert process.embedder.embedded == [], "nothing that is committed is embedded at the start"
            process.maintain()
            assert process.live_index.serving.space.revision == (wish == "revision")
            assert list(stores.indexes) == [process.generation]
            process.assert_in_step()
            assert process.maintain() == 0
        if survived:
            break
    assert survived
    assert writes > 3


def test_a_pause_of_the_process_after_any_step_changes_nothing(home: Path) -> None:
    stores = FakeIndexStores()
    with running(home, stores) as process:
        process.write(WHALE, FOX, source="a.md")
        forgotten = process.write(CAT, source="b.md")
    for steps in range(12):
        with running(home, stores) as process:
            process.assert_in_step()
            if steps == 0:
                process.live_index.forget(forgotten)
            process.maintain(steps)
            assert process.found("whale fox")
            assert process.embedder.embedded == []
    with running(home, stores) as process:
        assert process.maintain() == 0
        assert list(stores.indexes) == [process.generation]

from pathlib import Path

from kb.indexing.live_index import EMBEDDINGS_PER_COMMIT
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder
from tests.kb.indexing.index_harness import CAT, FOX, WHALE, running

MORE_THAN_A_STEP = EMBEDDINGS_PER_COMMIT + 20


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

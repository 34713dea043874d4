import random
import threading
from collections.abc import Iterable
from pathlib import Path

import pytest

from kb.adapters.chroma.local import ChromaStores
from kb.errors import KBError, StorageError, VectorIndexError
from kb.indexing.live_index import EMBEDDINGS_PER_COMMIT
from kb.indexing.upkeep import DEAD_VECTORS_ALLOWED
from kb.ports import IndexStores, Vectors
from kb.values.documents import Chunk, Document
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder, FakeVectorIndex
from tests.kb.indexing.index_harness import Running, file_named, running

WHALE, FOX, WOLF = "the blue whale", "the red fox", "the grey wolf"

EDITS = 150
"""Many times what a small index takes before it is made anew; a thousand leave the same, and take a minute."""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "home"


@pytest.fixture(params=["fake index", "chroma"])
def stores(request: pytest.FixtureRequest, home: Path) -> IndexStores:
    return FakeIndexStores() if request.param == "fake index" else ChromaStores(home / "chroma")


def stores_on_disk(home: Path) -> list[str]:
    return sorted(path.name for path in (home / "chroma").iterdir())


def bytes_on_disk(home: Path) -> int:
    return sum(path.stat().st_size for path in home.rglob("*") if path.is_file())


def nothing_holds(home: Path, needles: list[bytes]) -> bool:
    """Whether no file of a data directory holds any of these."""
    contents = [path.read_bytes() for path in home.rglob("*") if path.is_file()]
    return not any(needle.lower() in content.lower() for needle in needles for content in contents)


# A document that is to leave no trace

SECRET = "Zyxomma petiolatum flies over Quuxhaven at dusk, says Wuthering Vexillologist."
RARE_WORDS = ["zyxomma", "petiolat", "quuxhaven", "vexillolog"]


def write_secret(process: Running, secret: str = SECRET, source: str = "Plan Brxl.md", modified_ns: int = 1_000) -> str:
    chunks = [Chunk(0, len(secret), secret, ("Plan Brxl",), context="Plan Brxl", tokens=12)]
    document = Document("Plan Brxl", "text/markdown", secret, (), True, ("tagwrbl",))
    return process.live_index.replace(file_named(source, modified_ns), document, chunks, lambda: None)


def needles(embedder: FakeEmbedder) -> list[bytes]:
    vector = embedder.embed_passages([f"Plan Brxl\n{SECRET}"])[0].astype("<f4").tobytes()
    words = [word.encode() for word in (*RARE_WORDS, "tagwrbl", SECRET)]
    return [*words, vector, vector[:64], vector[-64:]]


def test_no_byte_of_a_forgotten_document_is_left(home: Path) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        others = [f"Other text number {number} about the harbour." for number in range(40)]
        for number, text in enumerate(others[:20]):
            process.write(text, source=f"{number}.md")
        document_id = write_secret(process, source="plan.md")
        for number, text in enumerate(others[20:]):
            process.write(text, source=f"{20 + number}.md")
        assert not nothing_holds(home, needles(FakeEmbedder()))
        before = process.generation
        process.live_index.forget(document_id)
        process.maintain()
        assert nothing_holds(home, needles(FakeEmbedder()))
        assert nothing_holds(home, [document_id.encode()])
        assert process.generation != before
        assert stores_on_disk(home) == [process.generation]
        process.assert_in_step()
        assert process.found("harbour")


def test_versions_before_the_one_that_is_forgotten_are_gone_as_well(home: Path) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        write_secret(process, source="plan.md")
        document_id = write_secret(process, "Nothing to see here.", "plan.md", 2_000)
        process.live_index.forget(document_id)
        process.maintain()
        assert nothing_holds(home, needles(FakeEmbedder()))


def test_text_that_another_document_has_as_well_stays_findable(home: Path, stores: IndexStores) -> None:
    with running(home, stores) as process:
        process.write(WHALE, source="a.md")
        process.live_index.forget(process.write(WHALE, FOX, source="b.md"))
        process.maintain()
        assert process.found("whale fox") == [WHALE]
        process.assert_in_step()


def test_forgetting_that_was_cut_off_is_finished_after_a_restart(home: Path) -> None:
    stores = ChromaStores(home / "chroma")
    with running(home, stores) as process:
        process.write(WHALE, source="a.md")
        document_id = write_secret(process, source="plan.md")
        process.live_index.forget(document_id)
        process.maintain(2)
    with running(home, stores) as process:
        process.maintain()
        assert process.embedder.embedded == []
        assert nothing_holds(home, needles(FakeEmbedder()))


def test_what_a_reader_holds_back_is_purged_when_it_is_done(home: Path) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        document_id = write_secret(process, source="plan.md")
        begun, goes_on = threading.Event(), threading.Event()

        def read() -> None:
            with process.catalog.snapshot():
                process.catalog.counts()
                begun.set()
                goes_on.wait(20)

        reader = threading.Thread(target=read)
        reader.start()
        assert begun.wait(10)
        process.live_index.forget(document_id)
        assert process.maintain(6) == 6, "there is still something to do"
        goes_on.set()
        reader.join(10)
        process.maintain()
        assert nothing_holds(home, needles(FakeEmbedder()))


def test_forgetting_while_a_new_index_is_made_leaves_no_trace_in_it(home: Path) -> None:
    with running(home, ChromaStores(home / "chroma")) as process:
        process.write(WHALE, source="a.md")
        document_id = write_secret(process, source="plan.md")
        process.catalog.ledger.add("renewals")
        process.maintain(1)
        assert len(stores_on_disk(home)) == 2
        process.live_index.forget(document_id)
        process.maintain()
        assert stores_on_disk(home) == [process.generation]
        assert nothing_holds(home, needles(FakeEmbedder()))
        assert process.found("whale") == [WHALE]


# Disk


@pytest.mark.parametrize("idle_after", [1, 1000], ids=["idle after each edit", "idle at the end"])
def test_edits_of_one_file_leave_at_most_twice_the_disk_of_a_fresh_index(tmp_path: Path, idle_after: int) -> None:
    random_words = random.Random(1)

    def new_text() -> str:
        return " ".join(f"word{random_words.randrange(3000)}" for _ in range(100))

    used, fresh = tmp_path / "used", tmp_path / "fresh"
    texts = [new_text() for _ in range(3)]
    with running(used, ChromaStores(used / "chroma")) as process:
        for number in range(EDITS):
            texts[number % 3] = new_text()
            process.write(*texts, modified_ns=number)
            if number % idle_after == 0:
                process.maintain()
        process.maintain()
        process.assert_in_step()
        after = bytes_on_disk(used)
    with running(fresh, ChromaStores(fresh / "chroma")) as process:
        process.write(*texts)
        process.maintain()
        assert after <= 2 * bytes_on_disk(fresh)


def test_new_index_is_made_only_now_and_then(home: Path) -> None:
    with running(home) as process:
        made = set()
        for number in range(10 * DEAD_VECTORS_ALLOWED):
            process.write(f"the text number {number}", modified_ns=number)
            process.maintain()
            made.add(process.generation)
        assert len(made) <= 10


def test_embeddings_of_work_that_was_cut_off_survive_where_they_may_be_needed(home: Path) -> None:
    with running(home) as process:
        process.write(*(f"the text number {number}" for number in range(2 * DEAD_VECTORS_ALLOWED)))
        process.write(WHALE)
        before = process.generation
        process.maintain(keep_unused=True)
        assert process.generation != before
        process.embedder.embedded.clear()
        process.write("the text number 1")
        assert process.embedder.embedded == []
        process.write(WHALE)
        process.catalog.ledger.add("dead_vectors", 2 * DEAD_VECTORS_ALLOWED)
        process.maintain()
        process.embedder.embedded.clear()
        process.write("the text number 1")
        assert process.embedder.embedded == ["the text number 1"]


# Steps


def test_a_step_can_be_refused_and_is_taken_later(home: Path) -> None:
    def refuse() -> None:
        raise KBError("closing")

    with running(home) as process:
        process.write(WHALE)
        process.catalog.ledger.add("renewals")
        before = process.generation
        process.upkeep.step(lambda: None)
        with pytest.raises(KBError, match="closing"):
            process.upkeep.step(refuse)
        process.maintain()
        assert process.generation != before
        process.assert_in_step()


def test_no_step_embeds_more_than_a_commit(home: Path) -> None:
    stores = FakeIndexStores()
    with running(home, stores) as process:
        process.write(*(f"the text number {number}" for number in range(3 * EMBEDDINGS_PER_COMMIT)))
    new = FakeEmbedder("new")
    with running(home, stores, new) as process:
        before = 0
        while process.upkeep.step(lambda: None):
            assert len(new.embedded) - before <= EMBEDDINGS_PER_COMMIT
            before = len(new.embedded)
        assert before == 3 * EMBEDDINGS_PER_COMMIT


def test_with_nothing_to_do_nothing_is_done(home: Path) -> None:
    with running(home) as process:
        process.write(WHALE)
        assert process.maintain() == 0
        before = process.generation
        assert process.maintain() == 0
        assert process.generation == before


def test_index_that_fails_is_made_anew_and_words_answer_meanwhile(home: Path) -> None:
    class Failing(FakeVectorIndex):
        fails = False

        def search(self, vector: Vectors, k: int) -> list[tuple[str, float]]:
            if self.fails:
                raise VectorIndexError("Error querying knn")
            return super().search(vector, k)

    with running(home, FakeIndexStores(Failing)) as process:
        process.write(WHALE)
        assert isinstance(process.index, Failing)
        process.index.fails = True
        for _ in range(3):
            assert process.found("whale") == [WHALE]
        process.maintain()
        assert not process.index.fails
        process.assert_in_step()
        assert process.maintain() == 0


def test_forgetting_is_done_though_the_index_has_no_room_for_it(home: Path) -> None:
    class Full(FakeVectorIndex):
        is_full = False

        def delete(self, ids: Iterable[str]) -> None:
            if self.is_full:
                raise StorageError("the disk is nearly full", "free some space")
            super().delete(ids)

    with running(home, FakeIndexStores(Full)) as process:
        whale = process.write(WHALE)
        process.write(FOX, source="b.md")
        assert isinstance(process.index, Full)
        process.index.is_full = True
        assert process.live_index.forget(whale)
        assert process.found("whale") == [FOX]
        process.maintain()
        assert len(process.index.ids()) == 1
        process.assert_in_step()


def test_closing_in_the_middle_closes_and_leaves_the_index_that_answered(home: Path) -> None:
    stores = FakeIndexStores()
    with running(home, stores) as process:
        process.write(*(f"the text number {number}" for number in range(10)))
        process.catalog.ledger.add("renewals")
        before = process.generation
        assert process.upkeep.step(lambda: None)
        process.upkeep.close()
        assert not process.upkeep.step(lambda: None)
    with running(home, stores) as process:
        assert process.generation == before
        process.assert_in_step()
        process.maintain()
        assert list(stores.indexes) == [process.generation]

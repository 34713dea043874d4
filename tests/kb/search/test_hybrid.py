from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest

from kb.catalog.catalog import Catalog
from kb.indexing.live_index import LiveIndex
from kb.ports import Embedder
from kb.search.dense import split_vector_id, vector_id
from kb.search.languages import LanguageBalance, MeasureBalance, no_balance
from kb.values.documents import Chunk, Document, FileVersion
from kb.values.filters import EVERYTHING, Filters
from kb.values.passages import Passage
from tests.fakes import FakeEmbedder, FakeVectorIndex


class Base:
    """Documents made of chunks that are given as they are."""

    def __init__(self, catalog: Catalog, measure: MeasureBalance = no_balance) -> None:
        self.embedder = FakeEmbedder()
        self.index = FakeVectorIndex()
        self.retrieval = LiveIndex(catalog, self.embedder, self.index, measure=measure)

    def write(self, source: str, texts: Sequence[str], headings: Sequence[str] = (), modified_ns: int = 1_000) -> str:
        chunks, start = [], 0
        for number, text in enumerate(texts):
            heading = tuple(headings[number : number + 1])
            chunks.append(Chunk(start, start + len(text), text, heading, page=number + 1, tokens=len(text)))
            start += len(text) + 2
        document = Document(f"Title of {source}", "text/markdown", "\n\n".join(texts), ())
        file = FileVersion("/notes", source, 10, modified_ns, f"hash of {texts}")
        return self.retrieval.replace(file, document, chunks, lambda: None)

    def passages(self, query: str, top_k: int = 4, filters: Filters = EVERYTHING) -> tuple[Passage, ...]:
        return self.retrieval.passages(query, top_k, filters)


@pytest.fixture
def knowledge_base(tmp_path: Path) -> Iterator[Base]:
    catalog = Catalog(tmp_path / "catalog.sqlite3")
    yield Base(catalog)
    catalog.close()


def write_others(knowledge_base: Base) -> None:
    """Fills the library with what has something to do with domes, but less than other texts have."""
    for number in range(20):
        knowledge_base.write(f"{number}.md", [f"There is a dome somewhere in the text number {number}."])


def test_vector_id_can_be_taken_apart() -> None:
    assert split_vector_id(vector_id("document", "hash")) == ("document", "hash")


@pytest.mark.parametrize(
    ("query", "source"),
    [
        ("When does the dome open?", "dome.md"),
        ("baking bread", "bread.md"),
        ("圆顶什么时候打开？", "圆顶.md"),
        ("面包怎么做", "面包.md"),
        ("What is E1234?", "codes.md"),
    ],
)
def test_passage_is_found_in_english_and_chinese(knowledge_base: Base, query: str, source: str) -> None:
    knowledge_base.write("dome.md", ["The dome opens at nine in the evening."])
    knowledge_base.write("bread.md", ["Bread is baked from flour and water."])
    knowledge_base.write("圆顶.md", ["圆顶晚上九点打开。"])
    knowledge_base.write("面包.md", ["面包由面粉和水制成。"])
    knowledge_base.write("codes.md", ["Error E1234 means that the shutter is stuck."])
    assert knowledge_base.passages(query)[0].source == source


def test_note_is_found_by_what_is_only_in_its_name_or_folder(knowledge_base: Base) -> None:
    for number in range(80):
        knowledge_base.write(f"People/Person {number}.md", ["Phone number: on the card. Likes tea."])
    jane = knowledge_base.write("People/Jane Doe.md", ["Phone number: on the card. Likes tea."])
    todo = knowledge_base.write("Projects/Apollo/todo.md", ["Buy paint."])
    assert knowledge_base.passages("What is the phone number of Jane Doe?", top_k=1)[0].document_id == jane
    assert knowledge_base.passages("What has to be done for Apollo?", top_k=1)[0].document_id == todo
    knowledge_base.retrieval.remove(jane)
    assert all(passage.document_id != jane for passage in knowledge_base.passages("Jane Doe"))


OLD, NEW = "plan.md", "plan.sync-conflict-20261101-120000-ABCDEFG.md"


def test_of_the_versions_that_a_conflict_left_the_newest_answers_and_names_the_others(knowledge_base: Base) -> None:
    knowledge_base.write(OLD, ["The dome opens at nine in the evening."])
    knowledge_base.write(NEW, ["The dome opens at eight in the evening."], modified_ns=3_000)
    knowledge_base.write("plan (Jane's conflicted copy).md", ["The dome opens at ten."], modified_ns=2_000)
    knowledge_base.write("other.md", ["The dome opens at night."])
    found = knowledge_base.passages("When does the dome open?")
    assert {passage.source: passage.older_versions for passage in found} == {
        NEW: ("plan (Jane's conflicted copy).md", OLD),
        "other.md": (),
    }
    (alone,) = knowledge_base.passages("When does the dome open?", filters=Filters(folders=(OLD,)))
    assert (alone.source, alone.older_versions) == (OLD, ())
    knowledge_base.write(OLD, ["The dome opens at seven."], modified_ns=4_000)
    assert NEW not in {passage.source for passage in knowledge_base.passages("When does the dome open?")}


def test_second_file_is_a_version_where_it_says_the_same_alone(knowledge_base: Base) -> None:
    knowledge_base.write("plan.md", ["The dome opens at nine in the evening, and closes at six in the morning."])
    knowledge_base.write("plan 2.md", ["The dome opens at eight in the evening, and closes at six in the morning."])
    knowledge_base.write("tower.md", ["The tower opens at noon."])
    knowledge_base.write("tower 2.md", ["Whoever opens the dome lets the rain in."])
    found = {passage.source for passage in knowledge_base.passages("What opens, dome or tower?", top_k=8)}
    assert len(found & {"plan.md", "plan 2.md"}) == 1
    assert {"tower.md", "tower 2.md"} <= found


def test_passage_says_where_it_stands(knowledge_base: Base) -> None:
    texts = ["Something else.", "The dome opens at nine.", "Another thing."]
    document_id = knowledge_base.write("dome.md", texts, ["One", "Two", "Three"])
    write_others(knowledge_base)
    (passage,) = knowledge_base.passages("dome opens", top_k=1)
    assert (passage.number, passage.document_id, passage.source) == (1, document_id, "dome.md")
    assert (passage.title, passage.page, passage.heading) == ("Title of dome.md", 2, "Two")
    assert passage.text == "The dome opens at nine."
    assert "\n\n".join(texts)[passage.start : passage.end] == passage.text
    assert passage.score > 0
    assert passage.similarity is not None
    assert 0 < passage.similarity <= 1


def test_passages_are_numbered_best_first_and_no_more_than_asked_for(knowledge_base: Base) -> None:
    for number in range(8):
        knowledge_base.write(f"{number}.md", ["dome " * (number + 1) + f"and {number} other words here"])
    passages = knowledge_base.passages("dome", top_k=3)
    assert [passage.number for passage in passages] == [1, 2, 3]
    assert [passage.score for passage in passages] == sorted((p.score for p in passages), reverse=True)


def test_hit_is_shown_with_its_neighbours_in_the_order_of_the_document(knowledge_base: Base) -> None:
    texts = ["The dome is green.", "The dome is large.", "Bread is good.", "The dome is old."]
    knowledge_base.write("dome.md", texts, ["A", "A", "A", "B"])
    write_others(knowledge_base)
    passage = knowledge_base.passages("large dome", top_k=1)[0]
    assert passage.text == "The dome is green.\n\nThe dome is large.\n\nBread is good."
    assert [(part.start, part.end, part.page, part.headings) for part in passage.parts] == [
        (0, 18, 1, ("A",)),
        (20, 38, 2, ("A",)),
        (40, 54, 3, ("A",)),
    ]


def test_each_part_has_a_score_of_its_own(knowledge_base: Base) -> None:
    texts = ["Bread is good.", "The large dome is green.", "Cheese is better."]
    knowledge_base.write("dome.md", texts, ["A"] * 3)
    (passage,) = knowledge_base.passages("large green dome")
    bread, dome, cheese = (part.score for part in passage.parts)
    assert dome > max(bread, cheese)
    assert passage.score == dome
    assert passage.heading == "A"
    assert passage.page == 2


def test_neighbours_in_different_documents_stay_apart(knowledge_base: Base) -> None:
    knowledge_base.write("a.md", ["The dome is green."])
    knowledge_base.write("b.md", ["The dome is large."])
    assert len(knowledge_base.passages("dome")) == 2


def test_copies_of_a_text_are_shown_once(knowledge_base: Base) -> None:
    for source in ("a.md", "b.md", "c.md"):
        knowledge_base.write(source, ["The dome opens at nine."])
    knowledge_base.write("d.md", ["The dome  opens\nat nine."])
    knowledge_base.write("e.md", ["The dome is old."])
    texts = [passage.text for passage in knowledge_base.passages("dome opens at nine")]
    assert len([text for text in texts if "nine" in text]) == 1
    assert "The dome is old." in texts


def test_long_text_of_copies_leaves_room_for_others(knowledge_base: Base) -> None:
    knowledge_base.write("copies.md", ["The dome opens at nine."] * 45)
    knowledge_base.write("old.md", ["A dome."])
    assert {passage.source for passage in knowledge_base.passages("the dome opens at nine")} == {"copies.md", "old.md"}


def test_vector_without_a_row_in_the_catalog_is_dropped(knowledge_base: Base) -> None:
    document_id = knowledge_base.write("a.md", ["The dome opens at nine."])
    ghosts = knowledge_base.embedder.embed_passages(["dome opens at nine", "dome"])
    knowledge_base.index.upsert([vector_id("gone", "hash"), vector_id(document_id, "old hash")], ghosts)
    assert [passage.text for passage in knowledge_base.passages("dome opens at nine")] == ["The dome opens at nine."]


def test_passage_that_the_vector_index_misses_is_found_by_its_words_and_has_its_cosine(
    knowledge_base: Base,
) -> None:
    knowledge_base.write("a.md", ["The dome opens at nine."])
    (before,) = knowledge_base.passages("dome")
    knowledge_base.index.clear()
    (passage,) = knowledge_base.passages("dome")
    assert passage.similarity == pytest.approx(before.similarity)


def test_passage_that_only_its_vector_matches_is_found(knowledge_base: Base) -> None:
    knowledge_base.write("a.md", ["The dome opens at nine."])
    (passage,) = knowledge_base.passages("cheese")
    assert passage.similarity is not None


@pytest.mark.parametrize("query", ["?!", "the", "的"])
def test_query_without_content_is_no_error(knowledge_base: Base, query: str) -> None:
    knowledge_base.write("a.md", ["Dome opens at nine."])
    assert len(knowledge_base.passages(query)) <= 1


def test_empty_library_has_no_passages(knowledge_base: Base) -> None:
    assert knowledge_base.passages("dome") == ()


def test_passage_text_is_cut_from_the_document_whatever_its_characters(knowledge_base: Base) -> None:
    texts = ["🙂 圆顶 🙂🙂 opens", "第二段：圆顶很旧 🙂", "naïve dome"]
    knowledge_base.write("a.md", texts)
    document = "\n\n".join(texts)
    for passage in knowledge_base.passages("圆顶 dome"):
        assert document[passage.start : passage.end] == passage.text
        for part in passage.parts:
            assert document[part.start : part.end] in texts


def test_similarity_is_the_cosine_of_query_and_passage(knowledge_base: Base) -> None:
    knowledge_base.write("a.md", ["The dome opens at nine."])
    query, (stored,) = "when does the dome open", knowledge_base.embedder.embed_passages(["The dome opens at nine."])
    (passage,) = knowledge_base.passages(query)
    assert passage.similarity == pytest.approx(
        float(np.dot(knowledge_base.embedder.embed_query(query), stored)), abs=1e-5
    )


# Languages


def test_text_in_the_other_language_gains_and_its_similarity_stays_the_cosine(tmp_path: Path) -> None:
    english, chinese, query = "The dome opens at nine.", "圆顶九点打开。", "dome opens"
    measured = []

    def measure(embedder: Embedder) -> LanguageBalance:
        measured.append(embedder)
        ends = embedder.embed_passages([english, chinese])
        apart = ends[1] - ends[0]
        axis = apart / np.linalg.norm(apart)
        asked = float(embedder.embed_query(query) @ axis)
        texts = (float(ends[0] @ axis), float(ends[1] @ axis))
        return LanguageBalance(axis, (asked, asked + 1), texts, (5.0, 0.0))

    catalog = Catalog(tmp_path / "catalog.sqlite3")
    knowledge_base = Base(catalog, measure)
    for source, text in (("en.md", english), ("zh.md", chinese)):
        knowledge_base.write(source, [text])
    first, second = knowledge_base.passages(query)
    assert (first.text, second.text) == (chinese, english)
    cosines = knowledge_base.embedder.embed_passages([chinese, english]) @ knowledge_base.embedder.embed_query(query)
    assert [first.similarity, second.similarity] == pytest.approx(cosines.tolist(), abs=1e-5)
    knowledge_base.passages("When?")
    assert len(measured) == 1
    catalog.close()

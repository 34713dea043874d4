from kb.ports import Vectors
from kb.search.query_vectors import QueryVectors
from tests.fakes import FakeEmbedder


class CountingEmbedder(FakeEmbedder):
    def __init__(self, identity: str = "fake") -> None:
        super().__init__(identity)
        self.asked: list[str] = []

    def embed_query(self, text: str) -> Vectors:
        self.asked.append(text)
        return super().embed_query(text)


def test_question_is_embedded_once_for_each_model() -> None:
    vectors, one, other = QueryVectors(), CountingEmbedder(), CountingEmbedder("other")
    for _ in range(3):
        assert (vectors.of(one, "When?") == one._vector("When?")).all()
        assert (vectors.of(other, "When?") == other._vector("When?")).all()
    assert one.asked == other.asked == ["When?"]


def test_questions_of_long_ago_are_forgotten() -> None:
    vectors, embedder = QueryVectors(), CountingEmbedder()
    questions = [f"What is number {n}?" for n in range(200)]
    for question in questions:
        vectors.of(embedder, question)
    vectors.of(embedder, questions[-1])
    vectors.of(embedder, questions[0])
    assert embedder.asked == [*questions, questions[0]]

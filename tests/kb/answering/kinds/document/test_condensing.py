"""What the model writes about a section is used as far as a judge bears it out."""

from collections.abc import Generator, Sequence

import pytest

from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.cited_text import CitedText, from_json, to_json
from kb.answering.kinds.document.composing import Composer, groups_of
from kb.answering.kinds.document.condensing import first_quote, settled
from kb.answering.kinds.document.key_passages import passage_of
from kb.values.chat import Heartbeat
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.kb.answering.kinds.document.document_harness import LEASE, stored

PASSAGES = tuple(passage_of(n, each) for n, each in enumerate(stored(LEASE), start=1))
NOTICE = LEASE[2][1]


class FakeJudge:
    """Finds some texts likely, and all others unlikely."""

    def __init__(self, *likely: str) -> None:
        self._likely = likely

    def judge(
        self, passages: Sequence[str], statement: str, question: str = ""
    ) -> Generator[Heartbeat, None, float | None]:
        yield Heartbeat()
        return 0.9 if statement in self._likely else 0.4

    def close(self) -> None:
        pass


def returned(work: Generator[Heartbeat, None, object]) -> object:
    try:
        while True:
            next(work)
    except StopIteration as stop:
        return stop.value


def writer(answer: str, *likely: str) -> CheckedWriter:
    return CheckedWriter(FakeLanguageModel(answer), FakeJudge(*likely), FakeEmbedder().embed_passages)


def checked(text: str, *likely: str) -> list[CitedText]:
    work = writer(text, *likely)
    found = returned(work.checked(text, PASSAGES))
    assert isinstance(found, list)
    return settled(found, PASSAGES, work)


def test_what_is_borne_out_is_kept_in_the_words_of_the_model() -> None:
    said = "To end it takes three months of notice to the end of a quarter."
    (text,) = checked(said, said)
    assert text.text == said
    assert text.is_supported
    assert text.citations[0].quote == NOTICE


def test_what_is_not_gives_way_to_the_words_of_the_place_that_it_is_about() -> None:
    (text,) = checked("To end it takes five months of notice to the end of a quarter.")
    assert text.text == NOTICE
    assert text.is_supported


def test_same_words_stand_only_once() -> None:
    said = "Either side may give notice of five months. Either side may give notice of six months."
    assert [text.text for text in checked(said)] == [NOTICE]


def test_first_sentence_that_can_stand_alone_stands_for_a_section_of_which_nothing_was_written() -> None:
    short = passage_of(1, stored([("", "Ends when?\n\nIt runs for two years, and no longer.")])[0])
    (text,) = first_quote([short])
    assert text.text == "It runs for two years, and no longer."
    assert first_quote([]) == []


def test_one_sentence_about_several_is_kept_if_it_is_borne_out() -> None:
    group = [text for _, sentence in LEASE for text in checked(sentence)]
    said = "The rent is 940 euros a month, and notice takes three months."
    for likely, expected in (((said,), said), ((), LEASE[0][1])):
        composer = Composer(writer(said, *likely), "en", "The lease")
        text = returned(composer.compose(group))
        assert isinstance(text, CitedText)
        assert text.is_supported
        assert text.text == expected or not likely


@pytest.mark.parametrize(("count", "sizes"), [(1, [5]), (2, [2, 3]), (3, [2, 1, 2]), (9, [1, 1, 1, 1, 1])])
def test_neighbours_are_put_together_evenly(count: int, sizes: list[int]) -> None:
    texts = [CitedText(str(n)) for n in range(5)]
    groups = groups_of(texts, count)
    assert [len(group) for group in groups] == sizes
    assert [text for group in groups for text in group] == texts


def test_texts_are_read_back_as_they_were_kept() -> None:
    texts = tuple(checked(NOTICE))
    assert from_json(to_json(texts)) == texts

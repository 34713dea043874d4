import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.citing.citations import Citer
from kb.text.sentences import sentence_spans
from kb.values.passages import PassagePart
from tests.kb.citing.citations_harness import (
    BREAD,
    CHINESE,
    DOME,
    HARBOUR,
    LOCK,
    QUESTION,
    align,
    cite_all,
    passage,
    quotes,
)


def test_sentence_is_supported_by_the_sentence_that_says_the_same() -> None:
    passages = [passage(BREAD), passage(DOME, 2)]
    assert (
        quotes("The second dome is opened at nine in the evening.", *passages)[0]
        == "The second dome opens at nine in the evening."
    )


def test_citation_says_where_the_quote_stands_and_what_it_supports() -> None:
    answer = "Certainly. The second dome opens at nine in the evening."
    citer = Citer(QUESTION, [passage(BREAD), passage(DOME, 2)])
    alignment = citer.align(answer[11:])
    assert alignment is not None
    (citation,) = citer.citations(alignment, (11, len(answer)), "supported", 0.91234)
    assert (citation.verdict, citation.verified, citation.probability) == ("supported", True, 0.912)
    assert (citation.number, citation.document_id, citation.title, citation.source) == (1, "d2", "Title 2", "2.md")
    assert (citation.page, citation.heading) == (3, "Domes")
    assert (citation.answer_start, citation.answer_end) == (11, len(answer))
    assert DOME[citation.start - 50 : citation.end - 50] == citation.quote
    assert 0.5 < citation.score <= 1


def test_chinese_sentence_is_supported_by_a_chinese_one() -> None:
    assert (
        quotes("第二个圆顶在晚上九点打开。", passage(BREAD), passage(CHINESE, 2), question="圆顶几点打开？")[0]
        == "第二个圆顶晚上九点打开。"
    )


@pytest.mark.parametrize(
    ("answer", "question", "quote"),
    [
        ("Nine.", "When does the second dome open?", "The second dome opens at nine in the evening."),
        (
            "Nine.",
            "At what hour must the oven reach 230 degrees?",
            "The oven must reach 230 degrees at nine in the morning.",
        ),
        ("1987", "When was it built?", "It was built by Ilse Brandt in 1987 and cost 1,250 crowns."),
        ("九点。", "圆顶几点打开？", "第二个圆顶晚上九点打开。"),
        ("布兰特", "它是谁建造的？", "它由布兰特于1987年建造，耗资1250克朗。"),
    ],
)
def test_short_answer_finds_its_place_with_the_help_of_the_question(answer: str, question: str, quote: str) -> None:
    assert quotes(answer, passage(DOME), passage(BREAD, 2), passage(CHINESE, 3), question=question)[0] == quote


@pytest.mark.parametrize(
    ("statement", "lacks"),
    [
        ("The second dome opens at nine in the evening since 1999.", True),
        ("It was built by Ilse Brandt in 1978 and cost 1,250 crowns.", True),
        ("It was built by Ilse Brandt in 1987 and cost 1,350 crowns.", True),
        ("It was built by Ole Brandt in 1987 and cost 1,250 crowns.", True),
        ("它由布兰特于1978年建造，耗资1250克朗。", True),
        ("It was built by Ilse Brandt in １９８７ and cost 1250 crowns.", False),
        ("Brandt built the second dome in 1987.", False),
        ("In 1987 it was built.", False),
        ("它由布兰特于1987年建造，耗资1250克朗。", False),
    ],
)
def test_number_or_name_that_no_place_has_is_lacking(statement: str, lacks: bool) -> None:
    assert align(statement, passage(DOME), passage(CHINESE, 2)).lacks is lacks


def test_number_and_name_may_be_those_of_the_question() -> None:
    question = "Who built what Anna Meier opened in 1999?"
    assert not align("Ilse Brandt built what Anna Meier opened in 1999.", passage(DOME), question=question).lacks


@pytest.mark.parametrize(
    ("statement", "is_said"),
    [
        ("The second dome opens at nine in the evening.", True),
        ("the second dome opens at nine in the evening", True),
        ("第二个圆顶，晚上九点打开。", True),
        ("The second dome opens at nine.", False),  # the rest may turn it round
        ("The second dome does not open at nine in the evening.", False),
        ("It is.", False),
        ("", False),
        ("？", False),
    ],
)
def test_what_a_place_says_word_for_word_is_said(statement: str, is_said: bool) -> None:
    assert align(statement, passage(DOME), passage(CHINESE, 2)).is_said is is_said


def test_bare_yes_is_held_against_what_the_question_is_about() -> None:
    assert quotes("是的。", passage(BREAD), passage(CHINESE, 2), question="圆顶九点打开吗？") == [
        "第二个圆顶晚上九点打开。"
    ]


def test_nothing_is_cited_without_passages() -> None:
    assert Citer(QUESTION, []).align("The second dome opens at nine.") is None


def test_quote_in_a_merged_passage_has_the_page_and_heading_of_its_own_part() -> None:
    one, other = "The first dome is closed.", "The second dome opens at nine."
    parts = [
        PassagePart(50, 50 + len(one), 3, ("Domes", "First")),
        PassagePart(52 + len(one), 52 + len(one) + len(other), 4, ("Domes", "Second")),
    ]
    merged = passage(f"{one}\n\n{other}", parts=parts)
    for sentence, page, heading in [(one, 3, "Domes › First"), (other, 4, "Domes › Second")]:
        (citation,) = cite_all(sentence, merged)
        assert (citation.quote, citation.page, citation.heading) == (sentence, page, heading)


def test_sentence_that_two_neighbours_support_together_quotes_both() -> None:
    assert (
        quotes("Mount Aurora has an observatory whose second dome opens at nine in the evening.", passage(DOME))[0]
        == "The observatory stands on Mount Aurora. The second dome opens at nine in the evening."
    )


def test_citations_are_numbered_as_they_come_and_a_quote_keeps_its_number() -> None:
    answer = "The second dome opens at nine. Bread is baked from flour. The second dome opens in the evening at nine."
    citer = Citer(QUESTION, [passage(DOME), passage(BREAD, 2)])
    citations = [
        citation
        for span in sentence_spans(answer)
        if (alignment := citer.align(answer[slice(*span)]))
        for citation in citer.citations(alignment, span, "supported")
    ]
    assert [citation.number for citation in citations] == [1, 2, 1]


def test_earlier_passage_is_quoted_where_two_say_the_same() -> None:
    copy = passage("The second dome opens at nine in the evening.", 2)
    (citation,) = cite_all("The second dome opens at nine.", passage(DOME), copy)
    assert citation.document_id == "d1"


def test_heading_line_is_not_quoted() -> None:
    assert quotes("The second dome opens at nine.", passage("## The second dome opens\n\nThe dome opens at nine.")) == [
        "The dome opens at nine."
    ]


# Several quotes for one sentence


def test_further_quote_is_cited_where_it_holds_what_the_first_does_not() -> None:
    sentence = "The eastern lock, opened in 1934, is passed by ships of 4.5 million tons a year."
    asked = (sentence, passage(BREAD), passage(HARBOUR, 2), passage(LOCK, 3))
    assert quotes(*asked, question="What about it?") == [
        "Ships of 4.5 million tons a year pass the eastern lock.",
        "The eastern lock was opened in 1934.",
    ]
    citations = cite_all(*asked, question="What about it?")
    assert {(citation.answer_start, citation.answer_end) for citation in citations} == {(0, len(sentence))}


def test_what_is_not_borne_out_has_the_nearest_place_alone() -> None:
    citer = Citer("What about it?", [passage(HARBOUR), passage(LOCK, 2)])
    alignment = citer.align("The eastern lock, opened in 1934, is passed by ships of 4.5 million tons a year.")
    assert alignment is not None
    assert len(alignment.quotes) == 2
    for verdict in ("contradicted", "not_shown"):
        (citation,) = citer.citations(alignment, (0, 9), verdict)
        assert (citation.verified, citation.verdict) == (False, verdict)


def test_one_quote_is_enough_where_a_copy_says_no_more() -> None:
    assert len(cite_all("The eastern lock was opened in 1934.", passage(LOCK), passage(LOCK, 2))) == 1


def test_neighbours_that_are_too_long_for_one_quote_are_two() -> None:
    one, other = ("The lock was opened", "The lock weighs"), ("by Brandt", "120 tons")
    long = " ".join(f"{begin} {'quietly ' * 50}{end}." for begin, end in zip(one, other, strict=True))
    citations = cite_all("The lock was opened by Brandt, the lock weighs 120 tons.", passage(long), question="What?")
    assert len(citations) == 2
    assert all(len(citation.quote) <= 600 for citation in citations)


def test_quote_is_never_longer_than_six_hundred_characters() -> None:
    line = "The second dome opens at nine and then it is open for a long time. "
    code = "\n".join(f"dome_{n} = {n} # {'x' * 50}" for n in range(40))
    for citation in cite_all("dome_7 = 7", passage(code)) + cite_all(line, passage(line.replace(".", ",") * 40)):
        assert len(citation.quote) <= 600


@pytest.mark.parametrize(
    "text", ["Domes\n=====\n\nThe dome opens at nine.", "# The dome opens\nThe dome opens at nine."]
)
def test_text_below_a_heading_is_quoted_without_it(text: str) -> None:
    (citation,) = cite_all("The dome opens at nine.", passage(text))
    assert citation.quote == "The dome opens at nine."


# Whatever the texts
WORDS = st.sampled_from(
    [
        "dome",
        "opens",
        "nine",
        "1987",
        "1,250",
        "the",
        "圆顶",
        "打开",
        "的",
        "🙂",
        "\n",
        "\n\n",
        "# ",
        "- ",
        ". ",
        "。",
        "? ",
        "x" * 700,
    ]
)
TEXT = st.lists(WORDS, min_size=1, max_size=30).map(" ".join)


@given(documents=st.lists(st.lists(TEXT, min_size=1, max_size=4), max_size=4), answer=TEXT, question=TEXT)
def test_quote_is_the_text_of_its_document_at_its_offsets(
    documents: list[list[str]], answer: str, question: str
) -> None:
    texts = ["\n".join(["not part of it", *parts]) for parts in documents]
    passages = []
    for number, parts in enumerate(documents, start=1):
        start = len("not part of it\n")
        begin, placed = start, []
        for page, part in enumerate(parts, start=1):
            placed.append(PassagePart(start, start + len(part), page, ()))
            start += len(part) + 1
        passages.append(passage("\n".join(parts), number, begin, placed))
    citer = Citer(question, passages)
    for span in sentence_spans(answer):
        alignment = citer.align(answer[slice(*span)])
        citations = citer.citations(alignment, span, "supported") if alignment else ()
        assert len(citations) <= 3
        for citation in citations:
            number = int(citation.document_id[1:])
            assert citation.quote == texts[number - 1][citation.start : citation.end]
            assert citation.quote.strip()
            assert len(citation.quote) <= 600
            place = passages[number - 1].part_at(citation.start)
            assert citation.page == place.page
            assert place.start <= citation.start < place.end
            assert (citation.answer_start, citation.answer_end) == span
            assert 0 <= citation.score <= 1
            assert citation.number >= 1

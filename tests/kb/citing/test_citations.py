from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb.citing.citations import Citer
from kb.ports import Vectors
from kb.text.sentences import sentence_spans
from kb.values.answers import Citation
from kb.values.passages import Passage, PassagePart

DOME = (
    "The observatory stands on Mount Aurora. The second dome opens at nine in the evening."
    " It was built by Ilse Brandt in 1987 and cost 1,250 crowns. Visitors bring warm clothes."
)
BREAD = "Bread is baked from flour, water and salt. The oven must reach 230 degrees at nine in the morning."
CHINESE = "天文台位于极光山。第二个圆顶晚上九点打开。它由布兰特于1987年建造，耗资1250克朗。参观者要带厚衣服。"
QUESTION = "When does the second dome open?"


def passage(text: str, number: int = 1, start: int = 50, parts: Sequence[PassagePart] = ()) -> Passage:
    whole = (PassagePart(start, start + len(text), 3, ("Domes",)),)
    return Passage(
        number,
        f"d{number}",
        f"Title {number}",
        f"{number}.md",
        text,
        start,
        start + len(text),
        tuple(parts) or whole,
        1.0,
    )


def cite_all(sentence: str, *passages: Passage, question: str = QUESTION) -> tuple[Citation, ...]:
    return Citer(question, passages).cite(sentence, (0, len(sentence)))


def cite(sentence: str, *passages: Passage, question: str = QUESTION) -> Citation | None:
    """The first citation of a sentence."""
    return next(iter(cite_all(sentence, *passages, question=question)), None)


def supported(sentence: str, *passages: Passage, question: str = QUESTION) -> str:
    """The quote that supports a sentence."""
    citation = cite(sentence, *passages, question=question)
    assert citation is not None
    assert citation.verified
    return citation.quote


def is_verified(sentence: str, *passages: Passage, question: str = QUESTION) -> bool:
    citation = cite(sentence, *passages, question=question)
    return citation is not None and citation.verified


def test_sentence_is_supported_by_the_sentence_that_says_the_same() -> None:
    passages = [passage(BREAD), passage(DOME, 2)]
    quote = supported("The second dome is opened at nine in the evening.", *passages)
    assert quote == "The second dome opens at nine in the evening."


def test_citation_says_where_the_quote_stands_and_what_it_supports() -> None:
    answer = "Certainly. The second dome opens at nine in the evening."
    (citation,) = Citer(QUESTION, [passage(BREAD), passage(DOME, 2)]).cite(answer, (11, len(answer)))
    assert (citation.number, citation.document_id, citation.title, citation.source) == (1, "d2", "Title 2", "2.md")
    assert (citation.page, citation.heading) == (3, "Domes")
    assert (citation.answer_start, citation.answer_end) == (11, len(answer))
    assert DOME[citation.start - 50 : citation.end - 50] == citation.quote
    assert 0.5 < citation.score <= 1


def test_chinese_sentence_is_supported_by_a_chinese_one() -> None:
    quote = supported("第二个圆顶在晚上九点打开。", passage(BREAD), passage(CHINESE, 2), question="圆顶几点打开？")
    assert quote == "第二个圆顶晚上九点打开。"


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
    assert supported(answer, passage(DOME), passage(BREAD, 2), passage(CHINESE, 3), question=question) == quote


@pytest.mark.parametrize(
    "sentence",
    [
        "The second dome opens at nine in the evening since 1999.",
        "It was built by Ilse Brandt in 1978 and cost 1,250 crowns.",
        "It was built by Ilse Brandt in 1987 and cost 1,350 crowns.",
        "它由布兰特于1978年建造，耗资1250克朗。",
    ],
)
def test_number_that_is_not_in_the_quote_is_not_verified(sentence: str) -> None:
    assert cite(sentence, passage(DOME), passage(CHINESE, 2)) is not None
    assert not is_verified(sentence, passage(DOME), passage(CHINESE, 2))


def test_number_may_be_written_in_another_way() -> None:
    assert is_verified("It was built by Ilse Brandt in １９８７ and cost 1250 crowns.", passage(DOME))


@pytest.mark.parametrize(
    "sentence",
    [
        "Penguins cannot fly across the Atlantic.",
        "The oven was painted green by a travelling circus from Lisbon.",
        "企鹅不能飞越大西洋。",
    ],
)
def test_invented_sentence_is_not_verified(sentence: str) -> None:
    assert not is_verified(sentence, passage(DOME), passage(BREAD, 2), passage(CHINESE, 3))


@pytest.mark.parametrize("sentence", ["", "It is.", "Yes!", "？", "是的。"])
def test_sentence_without_content_is_not_cited(sentence: str) -> None:
    citation = cite(sentence, passage(DOME), passage(CHINESE, 2))
    assert citation is None or not citation.verified


def test_nothing_is_cited_without_passages() -> None:
    assert cite("The second dome opens at nine.") is None


def test_quote_in_a_merged_passage_has_the_page_and_heading_of_its_own_part() -> None:
    one, other = "The first dome is closed.", "The second dome opens at nine."
    parts = [
        PassagePart(50, 50 + len(one), 3, ("Domes", "First")),
        PassagePart(52 + len(one), 52 + len(one) + len(other), 4, ("Domes", "Second")),
    ]
    merged = passage(f"{one}\n\n{other}", parts=parts)
    for sentence, page, heading in [(one, 3, "Domes › First"), (other, 4, "Domes › Second")]:
        citation = cite(sentence, merged)
        assert citation is not None
        assert (citation.quote, citation.page, citation.heading) == (sentence, page, heading)


def test_sentence_that_two_neighbours_support_together_quotes_both() -> None:
    quote = supported("Mount Aurora has an observatory whose second dome opens at nine in the evening.", passage(DOME))
    assert quote == "The observatory stands on Mount Aurora. The second dome opens at nine in the evening."


def test_citations_are_numbered_as_they_come_and_a_quote_keeps_its_number() -> None:
    answer = "The second dome opens at nine. Bread is baked from flour. The second dome opens in the evening at nine."
    citer = Citer(QUESTION, [passage(DOME), passage(BREAD, 2)])
    citations = [citation for span in sentence_spans(answer) for citation in citer.cite(answer, span)]
    assert [citation.number for citation in citations] == [1, 2, 1]


def test_earlier_passage_is_quoted_where_two_say_the_same() -> None:
    copy = passage("The second dome opens at nine in the evening.", 2)
    citation = cite("The second dome opens at nine.", passage(DOME), copy)
    assert citation is not None
    assert citation.document_id == "d1"


def test_heading_line_is_not_quoted() -> None:
    citation = cite("The second dome opens at nine.", passage("## The second dome opens\n\nThe dome opens at nine."))
    assert citation is not None
    assert citation.quote == "The dome opens at nine."


# Several quotes for one sentence

HARBOUR = "The harbour master is Anna Meier. Ships of 4.5 million tons a year pass the eastern lock. It rains."
LOCK = "The eastern lock was opened in 1934. Its gates weigh 120 tons each. Tourists like to watch."


def test_further_quote_is_cited_where_it_holds_what_the_first_does_not() -> None:
    sentence = "The eastern lock, opened in 1934, is passed by ships of 4.5 million tons a year."
    citations = cite_all(sentence, passage(BREAD), passage(HARBOUR, 2), passage(LOCK, 3), question="What about it?")
    assert [(citation.quote, citation.verified) for citation in citations] == [
        ("Ships of 4.5 million tons a year pass the eastern lock.", True),
        ("The eastern lock was opened in 1934.", True),
    ]
    assert {(citation.answer_start, citation.answer_end) for citation in citations} == {(0, len(sentence))}


def test_one_quote_is_enough_where_a_copy_says_no_more() -> None:
    assert len(cite_all("The eastern lock was opened in 1934.", passage(LOCK), passage(LOCK, 2))) == 1


def test_quote_from_elsewhere_that_only_repeats_the_question_supports_nothing() -> None:
    trains = passage("两列观光火车在760毫米的窄轨铁路上行驶，这是山区 5 条原国有线路的遗留。")
    others = [passage("所有这一切都反对政府。", 2), passage("博物馆有窄轨。", 3)]
    question = "有多少条窄轨铁路线之前是政府所有的？"
    assert not is_verified("有5条窄轨铁路线之前是政府所有的。", trains, *others, question=question)


@pytest.mark.parametrize(
    "sentence",
    [
        "The eastern lock, opened in 1935, is passed by ships of 4.5 million tons a year.",
        "The eastern lock, opened in 1934, is passed by ships of 4.5 billion tons a year.",
        "The eastern lock, opened in 1934, is passed by ships of 120 tons a year and was painted by Ilse Brandt.",
        "Anna Meier opened the eastern lock in 1934.",
        "Anna Meier opened the eastern lock.",
    ],
)
def test_sentence_that_the_quotes_do_not_hold_together_has_the_nearest_alone(sentence: str) -> None:
    (citation,) = cite_all(sentence, passage(HARBOUR), passage(LOCK, 2), question="What about it?")
    assert not citation.verified


# Short answers


@pytest.mark.parametrize(
    ("answer", "question", "texts"),
    [
        ("1987", "When was the second dome built?", (DOME, LOCK)),
        ("第二座", "哪座圆顶晚上打开？", ("第二座圆顶晚上打开。第三座圆顶关着。",)),
        ("Yes.", "Does the second dome open at nine in the evening?", (DOME, LOCK)),
        ("No.", "Does the second dome open at night?", ("The second dome does not open at night.",)),
        ("是的。", "第二个圆顶晚上九点打开吗？", (CHINESE,)),
        ("The second dome opens at nine.", "Does the second dome open at nine?", (DOME,)),
    ],
)
def test_short_answer_is_verified_where_the_question_is_answered(
    answer: str, question: str, texts: tuple[str, ...]
) -> None:
    assert is_verified(answer, *(passage(text, n) for n, text in enumerate(texts, start=1)), question=question)


@pytest.mark.parametrize(
    ("answer", "question"),
    [
        ("1934", "When was the second dome built?"),  # of the lock
        ("Anna Meier", "Who built the second dome?"),
        ("The second dome.", "What did they do with the second dome?"),  # says nothing anew
        ("Ilse Brandt", "How many domes are there?"),
        ("No.", "Does the second dome open at nine in the evening?"),
        ("Yes.", "Does the second dome open at ten in the evening?"),
        ("Yes.", "When does the second dome open in the evening?"),
    ],
)
def test_short_answer_is_not_verified_elsewhere(answer: str, question: str) -> None:
    assert not is_verified(answer, passage(DOME), passage(HARBOUR, 2), passage(LOCK, 3), question=question)


def test_sentence_that_is_in_the_document_is_verified_whatever_was_asked() -> None:
    text = "In the evening the guide shows the second dome. The second dome opens at nine in the evening."
    question = "What does the guide of the second dome do in the evening?"
    assert is_verified("The second dome opens at nine in the evening.", passage(text), question=question)
    assert not is_verified("The guide of the second dome opens at nine.", passage(text), question=question)


def test_answer_that_stands_beside_something_less_near_to_the_question_is_not_verified() -> None:
    text = "Ilse Brandt painted the second dome in 1990. Ilse Brandt built the second dome in 1987."
    question = "When was the second dome built by Ilse Brandt?"
    assert is_verified("1987", passage(text), question=question)
    assert not is_verified("1990", passage(text), question=question)


def test_neighbours_that_are_too_long_for_one_quote_are_two() -> None:
    one, other = ("The lock was opened", "The lock weighs"), ("by Brandt", "120 tons")
    long = " ".join(f"{begin} {'quietly ' * 50}{end}." for begin, end in zip(one, other, strict=True))
    citations = cite_all("The lock was opened by Brandt, the lock weighs 120 tons.", passage(long), question="What?")
    assert [citation.verified for citation in citations] == [True, True]
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


# Across languages, by meaning


class Meanings:
    """Embeds a sentence as the meaning it is listed under; others lie apart from all."""

    def __init__(self, *meanings: set[str]) -> None:
        self.meanings = meanings
        self.asked: list[str] = []

    def __call__(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        vectors = np.zeros((len(texts), len(self.meanings) + 1), np.float32)
        for row, text in zip(vectors, texts, strict=True):
            row[next((i for i, meaning in enumerate(self.meanings) if text in meaning), len(self.meanings))] = 1
        return vectors


SAME = {"第二个圆顶晚上九点打开。", "The second dome opens at nine in the evening."}


def test_sentence_in_another_language_is_supported_by_what_means_the_same() -> None:
    answer = "第二个圆顶晚上九点打开。"
    (citation,) = Citer("圆顶几点打开？", [passage(BREAD), passage(DOME, 2)], Meanings(SAME)).cite(
        answer, (0, len(answer))
    )
    assert citation.quote in SAME
    assert citation.verified


def test_place_in_another_language_is_shown_where_the_words_of_the_own_one_say_little() -> None:
    rules = "观测站的规矩：炉子旁边有床，早上九点有茶。"
    rooms = "Breakfast is at nine. The guest house has 16 beds. A bed costs 36 crowns."
    answer = "客房有16张床。"
    (citation,) = Citer("客房有多少张床？", [passage(rules), passage(rooms, 2)], Meanings()).cite(
        answer, (0, len(answer))
    )
    assert citation.quote == "The guest house has 16 beds."


def test_each_quote_is_embedded_once_and_only_those_in_another_language() -> None:
    meanings = Meanings()
    citer = Citer("圆顶几点打开？", [passage(DOME), passage(CHINESE, 2)], meanings)
    for answer in ("企鹅不会飞。", "熊猫吃竹子。"):
        citer.cite(answer, (0, len(answer)))
    assert sorted(meanings.asked) == sorted(
        [*(DOME[slice(*span)] for span in sentence_spans(DOME)), "企鹅不会飞。", "熊猫吃竹子。"]
    )


def test_number_must_be_in_the_quote_in_another_language_too() -> None:
    answer = "第二个圆顶自1999年起晚上九点打开。"
    meanings = Meanings(SAME | {answer})
    (citation,) = Citer("圆顶几点打开？", [passage(DOME)], meanings).cite(answer, (0, len(answer)))
    assert not citation.verified


@pytest.mark.parametrize(
    ("question", "quote", "answer", "verified"),
    [
        ("圆顶夜间上锁吗？", "The dome is locked at night.", "是的。", True),
        ("圆顶夜间上锁吗？", "The dome is locked at night.", "不是。", False),
        ("圆顶夜间上锁吗？", "The dome is not locked at night.", "不是。", True),
        ("Is the dome locked at night?", "圆顶夜间上锁。", "No.", False),
        ("圆顶夜间怎么管理？", "The dome is locked at night.", "圆顶夜间不上锁。", False),
        ("水库在哪里？", "The reservoir lies west of the village.", "水库在村子以东。", False),
        ("水库在哪里？", "The reservoir lies west of the village.", "水库在村子以西。", True),
    ],
)
def test_denial_and_direction_must_agree_across_languages(
    question: str, quote: str, answer: str, verified: bool
) -> None:
    meanings = Meanings({question, answer, quote})
    (citation,) = Citer(question, [passage(quote)], meanings).cite(answer, (0, len(answer)))
    assert citation.verified is verified


def test_meaning_is_not_asked_for_where_the_words_match() -> None:
    meanings = Meanings()
    answer = "The second dome opens at nine in the evening."
    Citer(QUESTION, [passage(DOME)], meanings).cite(answer, (0, len(answer)))
    assert meanings.asked == []


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
        citations = citer.cite(answer, span)
        assert len(citations) <= 3
        assert len({citation.verified for citation in citations}) <= 1
        assert len(citations) <= 1 or citations[0].verified
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

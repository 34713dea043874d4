from dataclasses import replace
from typing import Any

import pytest

from kb.values.answers import Answer, Citation, IndexState, Timings
from kb.values.passages import Passage, PassagePart
from server.measure.eval.answers import AnswerOutcome, CitedSentence, answer_metrics, contains, judge, token_f1, tokens


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The Panthers' defense, in the U.S.!", ["panthers", "defense", "in", "us"]),
        ("$1,234.5 and 50%", ["12345", "and", "50"]),
        ("ＡＢＣ　１２", ["abc", "12"]),
        ("308分，第六。", ["308", "分", "第", "六"]),
        ("“约什·诺曼”", ["约", "什", "诺", "曼"]),
        ("東京タワー", ["東", "京", "タ", "ワ", "ー"]),
        ("an A the", []),
        ("、。", []),
    ],
)
def test_tokens_are_words_without_signs_and_single_east_asian_characters(text: str, expected: list[str]) -> None:
    assert tokens(text) == expected


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("They gave up just 308 points.", "308", True),
        ("They gave up 1308 points.", "308", False),
        ("In the Weddell Sea, that is.", "weddell sea", True),
        ("The sea, Weddell", "Weddell Sea", False),
        ("防守只丢了308分。", "308分", True),
        ("黑豹队 的 防守", "黑豹队的防守", True),
        ("黑豹队防守", "黑豹队的防守", False),
        ("anything", "。", False),
        ("", "308", False),
    ],
)
def test_gold_is_contained_in_whole_tokens_side_by_side(answer: str, gold: str, expected: bool) -> None:
    assert contains(answer, gold) is expected


@pytest.mark.parametrize(
    ("answer", "gold", "expected"),
    [
        ("the cat sat", "a cat", 2 / 3),  # cat sat / cat: precision 1/2, recall 1
        ("cat cat dog", "cat", 0.5),
        ("黑豹队", "黑豹", 0.8),  # 2 of 3, 2 of 2
        ("dog", "cat", 0.0),
        ("", "cat", 0.0),
        ("the", "。", 1.0),
        ("Cat!", "cat", 1.0),
    ],
)
def test_f1_is_that_of_squad(answer: str, gold: str, expected: float) -> None:
    assert token_f1(answer, gold) == pytest.approx(expected)


def citation(number: int, start: int) -> Citation:
    return Citation(number, "d", "t", "s", None, "", "q", start, start + 5, 0, 5, True, 1.0)


ANSWER = Answer(
    answer="It was repaired in March 2024.",
    reasoning="",
    citations=(citation(2, 50), citation(1, 10)),
    passages=(),
    answerable=True,
    model="m",
    finish_reason="stop",
    timings=Timings(total_ms=2500, prompt_tokens=300, reasoning_tokens=20, answer_tokens=9),
    index=IndexState(),
)


def test_answer_is_judged_by_the_best_of_the_right_wordings_and_its_first_citation() -> None:
    outcome = judge(ANSWER, ("March 2024", "2024"), lambda cited: cited.start == 10)
    assert outcome.contains_gold
    assert outcome.f1 == pytest.approx(2 * 2 / (6 + 2))
    assert outcome.cites_gold
    assert (outcome.seconds, outcome.prompt_tokens, outcome.reasoning_tokens, outcome.answer_tokens) == (
        2.5,
        300,
        20,
        9,
    )
    assert judge(ANSWER, (), lambda cited: cited.start == 50).cites_gold is False
    assert judge(ANSWER, (), lambda _: True).contains_gold is None


def test_answer_without_a_citation_cites_nothing_right() -> None:
    assert judge(replace(ANSWER, citations=()), ("2024",), lambda _: True).cites_gold is False


def test_refusal_contains_nothing_whatever_it_says() -> None:
    outcome = judge(replace(ANSWER, answerable=False, citations=()), ("March 2024",), lambda _: True)
    assert (outcome.refused, outcome.contains_gold, outcome.f1, outcome.cites_gold) == (True, False, 0.0, None)


def outcome(**changes: Any) -> AnswerOutcome:
    made = AnswerOutcome("…", False, True, 1.0, True, "stop", 2.0, 100, 0, 10)
    return replace(made, **changes)


def test_measures_of_answers_by_hand() -> None:
    refused = outcome(refused=True, contains_gold=False, f1=0.0, cites_gold=None, seconds=1.0, prompt_tokens=0)
    answerable = [
        outcome(),
        outcome(cites_gold=False, f1=0.5),
        outcome(contains_gold=False, f1=0.1, cites_gold=False, seconds=9.0, prompt_tokens=300),
        refused,
    ]
    assert answer_metrics(answerable, [refused, outcome()]) == pytest.approx(
        {
            "answer contains gold": 2 / 4,
            "answer f1": 1.6 / 4,
            "first citation right": 1 / 3,
            "first citation right, of correct answers": 1 / 2,
            "refused answerable": 1 / 4,
            "refused unanswerable": 1 / 2,
            "median_seconds": 2.0,
            "total_seconds": 17.0,
            "median prompt_tokens": 100,
            "median reasoning_tokens": 0,
            "median answer_tokens": 10,
        }
    )


def test_each_cited_sentence_is_kept_with_its_quote_and_where_that_stands() -> None:
    text = "qz It was repaired."
    passage = Passage(1, "d", "t", "s", text, 10, 10 + len(text), (PassagePart(10, 29, None, ()),), 1.0)
    answer = replace(ANSWER, citations=(replace(citation(1, 10), quote="qz It"), citation(2, 12)), passages=(passage,))
    first, second = judge(answer, (), lambda cited: cited.start == 10).cited
    assert first == CitedSentence("It wa", "qz It", "d", 10, 15, True, True, True)
    assert (second.verbatim, second.is_gold) == (False, False)


def test_measures_of_citations_by_hand() -> None:
    verified = CitedSentence("s", "q", "d", 0, 1, verified=True, verbatim=True, is_gold=True)
    doubtful = replace(verified, verified=False, verbatim=False)
    metrics = answer_metrics(
        [outcome(cited=(verified, verified, doubtful)), outcome(contains_gold=False, cited=(doubtful,))],
        [outcome(cited=(verified,))],
    )
    assert {name: value for name, value in metrics.items() if name.startswith("citations")} == pytest.approx(
        {
            "citations_count": 5,
            "citations not verbatim_count": 2,
            "citations verified": 3 / 5,
            "citations verified, of correct answers": 2 / 3,
            "citations verified, of other answers": 1 / 2,
        }
    )


def test_what_there_is_nothing_of_is_not_measured() -> None:
    assert answer_metrics([], []) == {}
    assert "refused unanswerable" not in answer_metrics([outcome()], [])
    assert "answer f1" not in answer_metrics([outcome(contains_gold=None, f1=None)], [])

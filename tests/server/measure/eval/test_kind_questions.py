"""Whether answers of all kinds are right, and the set that ships."""

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from kb.errors import InvalidRequest
from kb.values.answers import Answer, Citation, StatedValue
from server.measure.eval.kind_answers_run import AnsweredQuestion, scores
from server.measure.eval.kind_questions import KindQuestion, grade, read_kind_questions

SAMPLES = Path(__file__).parents[4] / "sample_docs"
CITED = Citation(1, "d", "Manual", "a.pdf", None, "", "q", 0, 1, 0, 1, verified=True, score=1.0)
ASKED = KindQuestion("How much heavier?", "parts", "parts", "en", values=(("3.7",),), documents=("a.pdf",))
RIGHT = Answer("31.5 kg − 27.8 kg = 3.7 kg", citations=(CITED,), answerable=True, kind="parts")


def test_right_answer_has_the_kind_the_value_and_the_document() -> None:
    graded = grade(ASKED, RIGHT)
    assert (graded.has_right_kind, graded.is_right) == (True, True)


@pytest.mark.parametrize(
    "answer",
    [
        replace(RIGHT, answer="13.7 kg"),
        replace(RIGHT, answer="3.75 kg"),
        replace(RIGHT, citations=(replace(CITED, source="b.pdf"),)),
        replace(RIGHT, answerable=False),
    ],
)
def test_other_value_or_document_is_wrong(answer: Answer) -> None:
    assert not grade(ASKED, answer).is_right


def test_items_are_found_and_what_else_is_listed_is_counted() -> None:
    asked = KindQuestion("All codes?", "exhaustive", "exhaustive", items=(("E17",), ("E21", "E 21"), ("E26",)))
    answer = Answer("- E17: level\n- E 21: brush\n- E99: moon", answerable=True, kind="exhaustive")
    graded = grade(asked, answer)
    assert (graded.recall, graded.precision) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert not graded.is_right


def test_of_a_table_the_first_column_counts_and_not_its_head() -> None:
    asked = KindQuestion("All codes?", "exhaustive", "exhaustive", items=(("E17",), ("E21",)))
    table = "| Item | Where it stands |\n| --- | --- |\n| E17 | E17 and E21: level |\n| moon | E21 of the moon |"
    graded = grade(asked, Answer(table, answerable=True, kind="exhaustive"))
    assert (graded.recall, graded.precision) == (0.5, 0.5)


def test_disagreement_is_right_where_it_is_told_and_both_are_cited() -> None:
    asked = KindQuestion("How many?", "disagreement", "lookup", values=(("11",), ("9",)), documents=("a.pdf", "b.md"))
    both = (CITED, replace(CITED, source="b.md", number=2))
    stated = (StatedValue("9", "e", "Letter", "b.md", "2025-05-20"),)
    answer = Answer("11 mules. - 9 (b.md)", citations=both, answerable=True, disagreement=stated)
    graded, silent = grade(asked, answer), grade(asked, replace(answer, citations=both[:1], disagreement=()))
    assert (graded.has_right_kind, graded.is_right) == (True, True)
    assert (silent.has_right_kind, silent.is_right) == (False, False)


def test_scores_are_told_for_each_group_and_for_all() -> None:
    wrong = grade(ASKED, replace(RIGHT, kind="lookup", answer="4"))
    answers = [
        AnsweredQuestion("?", "parts", "parts", "", (), 1.0, grade(ASKED, RIGHT)),
        AnsweredQuestion("?", "lookup", "lookup", "", (), 1.0, wrong),
    ]
    parts, lookup, total = scores(answers)
    assert (parts.group, parts.right_kind, parts.right) == ("parts", 1.0, 1.0)
    assert (lookup.group, lookup.right_kind, lookup.right) == ("lookup", 0.0, 0.0)
    assert (total.group, total.questions, total.right, total.recall) == ("all", 2, 0.5, None)


def test_set_that_ships_has_eighty_questions_of_all_kinds_in_both_languages() -> None:
    asked = read_kind_questions(None)
    groups = Counter(each.group for each in asked)
    assert (len(asked), len({each.question for each in asked})) == (80, 80)
    assert set(groups) == {"lookup", "parts", "document", "exhaustive", "inventory", "disagreement"}
    assert min(groups.values()) >= 10
    assert min(Counter(each.language for each in asked).values()) >= 35
    there = {path.relative_to(SAMPLES).as_posix() for path in SAMPLES.rglob("*")}
    assert {source for each in asked for source in each.documents} <= there
    assert all(each.values or each.documents or each.items for each in asked)


def test_line_that_is_no_question_is_named(tmp_path: Path) -> None:
    path = tmp_path / "set.jsonl"
    path.write_text('{"question": "Why?", "kind": "riddle"}\n', "utf-8")
    with pytest.raises(InvalidRequest, match=r"line 1 .*'riddle' is none of"):
        read_kind_questions(path)
    with pytest.raises(InvalidRequest, match="cannot be read"):
        read_kind_questions(tmp_path / "none.jsonl")

from typing import get_args

import pytest

from kb.answering.understanding.form import Form, form_line, wants_thought

WORDS: dict[Form, tuple[str, str]] = {
    "table": ("Markdown table", "表格"),
    "list": ("a list", "清单"),
    "calculation": ("calculation", "算式"),
    "explanation": ("two or three", "两三个"),
    "sentence": ("one complete sentence", "一个完整的中文句子"),
}


@pytest.mark.parametrize("form", get_args(Form))
def test_each_form_is_asked_for_in_the_language_of_the_question(form: Form) -> None:
    for question, place in (("When does it open?", 0), ("几点开放？", 1)):
        line = form_line(form, question, question)
        assert [name for name, words in WORDS.items() if words[place] in line] == [form]


def test_what_must_be_worked_out_is_thought_about_and_what_must_be_found_is_not() -> None:
    assert {form for form in get_args(Form) if wants_thought(form)} == {"calculation", "explanation"}


def test_several_parts_get_a_sentence_each_but_a_table_or_a_calculation_comes_first() -> None:
    for form in ("sentence", "list", "explanation"):
        assert form_line(form, "Why is it closed? When does it open?", "", 2).startswith("Answer each part")
    assert "每个问题" in form_line("sentence", "为什么关闭？几点开放？", "", 2)
    assert "table" in form_line("table", "Make a table of both.", "", 2)
    assert "calculation" in form_line("calculation", "Calculate both.", "", 2)


def test_line_names_the_language_of_the_question_where_the_sources_have_another() -> None:
    english = form_line("sentence", "When does it open?", "At nine.")
    assert form_line("sentence", "When does it open?", "九点开放。") == english + " Write in English."
    assert "中文" in form_line("sentence", "几点开放？", "At nine.")

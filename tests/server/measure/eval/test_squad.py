import json
from collections.abc import Callable
from pathlib import Path

import pytest

from ingest.formats.markdown import MarkdownLoader
from kb.errors import InvalidRequest
from kb.values.documents import BlockKind
from server.measure.eval.squad import Article, exchange_questions, read_squad, same_paragraphs

Write = Callable[[object], Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    numbers = iter(range(100))

    def write(value: object) -> Path:
        path = tmp_path / f"{next(numbers)}.json"
        path.write_text(value if isinstance(value, str) else json.dumps(value), "utf-8")
        return path

    return write


def entry(id_: str, question: str = "Why?", *answers: str, **more: object) -> dict[str, object]:
    return {"id": id_, "question": question, "answers": [{"text": text, "answer_start": 0} for text in answers], **more}


def article(*contexts: tuple[str, list[dict[str, object]]], title: str = "T") -> dict[str, object]:
    return {"title": title, "paragraphs": [{"context": context, "qas": qas} for context, qas in contexts]}


def test_articles_questions_and_answers_are_read(write: Write) -> None:
    squad = read_squad(
        write(
            {
                "version": "v2.0",
                "data": [
                    article(("One.", [entry("1", "Why?", "a", "b", "a")]), ("Two.", []), title="Super_Bowl_50"),
                    article(("Three.", [entry("2", "Who?", is_impossible=True)]), title="Beyonc%C3%A9"),
                ],
            }
        )
    )
    assert [made.title for made in squad.articles] == ["Super Bowl 50", "Beyoncé"]
    assert [made.paragraphs for made in squad.articles] == [("One.", "Two."), ("Three.",)]
    first, second = squad.asked
    assert (first.question.id, first.question.answers, first.question.answerable, first.place) == (
        "1",
        ("a", "b"),
        True,
        (0, 0),
    )
    assert (second.question.answerable, second.place) == (False, (1, 0))


def test_title_in_words_stays_as_it_is(write: Write) -> None:
    squad = read_squad(write({"data": [article(("One.", [entry("1")]), title="The  __init__\nfile")]}))
    assert squad.articles[0].title == "The __init__ file"


def test_lacking_titles_ids_and_answers_are_no_error(write: Write) -> None:
    text = '\ufeff{"data": [{"paragraphs": [{"context": "One.", "qas": [{"question": "Why?"}, {"question": " "}]}]}]}'
    squad = read_squad(write(text))
    assert squad.articles[0].as_markdown() == "One.\n"
    assert [(asked.question.id, asked.question.answers) for asked in squad.asked] == [("0.0.0", ())]


@pytest.mark.parametrize(
    "paragraph",
    [
        "Plain text\nwith a line break.",
        "# not a heading",
        "####### seven",
        "- a list\n- of two",
        "1998. was a year",
        "> quoted",
        "---",
        "title: x\n---\nafter",
        "Text\n===",
        "* * *",
        "```\nunclosed",
        "~~~ unclosed",
        "<!-- a comment that does not end",
        "<!DOCTYPE and so on",
        "<script> alert",
        "  <PRE>",
        "<br>text",
        "-{T|Gtk#}-Gtk#是个",
        "| a | b |\n|---|---|\n| c | d |",
        "    indented",
        "[name]: https://example.org",
        "# a\r\n\r\n# b",
    ],
)
@pytest.mark.parametrize("title", ["Title", ""])
def test_markdown_of_an_article_holds_each_paragraph_apart_from_the_others(
    write: Write, tmp_path: Path, paragraph: str, title: str
) -> None:
    [made] = read_squad(write({"data": [article((paragraph, [entry("1")]), ("After it.", []), title=title)]})).articles
    path = tmp_path / "article.md"
    path.write_text(made.as_markdown(), "utf-8")
    document = MarkdownLoader().load(path.name, path.read_bytes())
    pieces = [(block.kind, document.text[block.start : block.end]) for block in document.blocks]
    assert [kind for kind, _ in pieces].count(BlockKind.HEADING) == bool(title)
    assert pieces[-1] == (BlockKind.PROSE, "After it.")
    between = "".join("".join(text.split()) for kind, text in pieces[:-1] if kind is not BlockKind.HEADING)
    assert between == "".join(made.paragraphs[0].split())
    assert between.replace("\\", "") == "".join(paragraph.split())


def test_usual_paragraphs_are_written_verbatim(write: Write) -> None:
    text = "In 1998, #1 was `x` -- really. <b>Bold</b>\n1. one\n- two\n#hashtag"
    assert read_squad(write({"data": [article((text, [entry("1")]))]})).articles[0].paragraphs == (text,)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("not json", "is not JSON"),
        ("[1]", "is not in SQuAD format"),
        ({"data": []}, "data: "),
        ({"data": [{"title": "x", "paragraphs": []}]}, "data.0.paragraphs: "),
        ({"data": [{"title": "x", "paragraphs": [{"context": " "}]}]}, "data.0.paragraphs.0.context: "),
        ({"data": [{"title": "x", "paragraphs": [{"qas": []}]}]}, "data.0.paragraphs.0.context: "),
        ({"data": [{"paragraphs": [{"context": "x", "qas": [{"question": " "}]}]}]}, "holds no questions"),
    ],
)
def test_what_is_no_test_set_is_told_with_its_place(write: Write, value: object, said: str) -> None:
    path = write(value)
    with pytest.raises(InvalidRequest, match=said) as error:
        read_squad(path)
    assert str(path) in error.value.message
    assert error.value.hint


def test_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="does not exist"):
        read_squad(tmp_path / "nothing.json")


def test_questions_of_another_set_are_asked_where_the_ids_are_the_same(write: Write) -> None:
    ours = read_squad(write({"data": [article(("One.", [entry("1", "Why?", "one")]), ("Two.", [entry("2")]))]}))
    theirs = read_squad(
        write({"data": [article(("一。", [entry("3", "谁？")])), article(("二。", [entry("1", "为什么？", "一")]))]})
    )
    exchanged = exchange_questions(ours, theirs)
    assert exchanged.articles == ours.articles
    [asked] = exchanged.asked
    assert (asked.question.text, asked.question.answers, asked.place) == ("为什么？", ("一", "one"), (0, 0))


def test_sets_without_a_common_question_are_told(write: Write) -> None:
    ours, theirs = (read_squad(write({"data": [article(("One.", [entry(id_)]))]})) for id_ in "12")
    with pytest.raises(InvalidRequest, match="no question in common"):
        exchange_questions(ours, theirs)


def test_paragraphs_with_the_same_text_have_the_same_number() -> None:
    articles = [Article("a", ("One two.", "Three.")), Article("b", ("One\ntwo.", "Four."))]
    assert same_paragraphs(articles) == {(0, 0): 0, (0, 1): 1, (1, 0): 0, (1, 1): 2}

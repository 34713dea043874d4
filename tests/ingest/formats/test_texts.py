"""Web pages, tables, values, other markups, notebooks, e-mail, subtitles and source code."""

import datetime
import json

import pytest

from ingest.formats.registry import load
from kb.errors import UnreadableFile
from kb.values.documents import Document


def found(document: Document) -> list[tuple[str, tuple[str, ...], str]]:
    return [(b.kind.value, b.headings, document.text[b.start : b.end]) for b in document.blocks]


def read(name: str, text: str) -> Document:
    return load(name, text.encode())


def test_a_web_page_gives_what_it_shows() -> None:
    document = read(
        "a.html",
        "<html><head><title>My page</title><meta name=author content=Ann><style>p{}</style></head><body>"
        "<nav>menu</nav><script>alert(1)</script><h1>Top</h1><p>See <a href=x>the link</a>, a_b *c*."
        "<ul><li>one<li>two</ul><table><tr><th>a<th>b<tr><td>1<td>2</table><pre>x\n  y</pre>",
    )
    assert (document.title, document.names) == ("My page", ("Ann",))
    assert found(document) == [
        ("heading", ("Top",), "# Top"),
        ("prose", ("Top",), "See the link, a_b *c*."),
        ("prose", ("Top",), "- one\n- two"),
        ("table", ("Top",), "| a | b |\n| --- | --- |\n| 1 | 2 |"),
        ("code", ("Top",), "```\nx\n  y\n```"),
    ]


def test_what_defines_a_word_in_several_paragraphs_is_no_code() -> None:
    document = read("a.html", "<dl><dt>Dome<dd><p>It opens.</p><dt>Mast<dd><p>It stands.</p><p>It is high.</p></dl>")
    assert {kind for kind, *_ in found(document)} == {"prose"}
    assert document.text.split("\n\n") == ["Dome\n:   It opens.", "Mast", "It stands.", "It is high."]


@pytest.mark.parametrize(
    "text", ["name,value\nAnn,1\n\nBob,2|3\n", "name;value\r\nAnn;1\r\nBob;2|3\r\n", "name\tvalue\nAnn\t1\nBob\t2|3"]
)
def test_a_table_in_a_text_file_is_a_table(text: str) -> None:
    document = read("a.csv", text)
    assert found(document) == [("table", (), "| name | value |\n| --- | --- |\n| Ann | 1 |\n| Bob | 2¦3 |")]


def test_values_are_found_by_their_keys() -> None:
    document = read(
        "a.json", '{"people": [{"name": "Ann", "tags": ["x", "y"]}, {"name": "李雷"}], "n": 1.5, "ok": null}'
    )
    assert document.text.split("\n") == [
        "people 1.name: Ann",
        "people 1.tags: x, y",
        "people 2.name: 李雷",
        "n: 1.5",
        "ok: null",
    ]
    for text in ('[{"name": "Ann"}, {"name": "Bob"}]', '{"name": "Ann"}\n{"name": "Bob"}\n'):
        assert [text for *_, text in found(read("a.jsonl", text))] == ["name: Ann", "name: Bob"]
    with pytest.raises(UnreadableFile, match="not JSON"):
        read("a.json", "{name: 1}")
    with pytest.raises(UnreadableFile, match="not JSON"):
        read("a.json", "[" * 100_000)


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        (
            "a.rst",
            "=====\nTitle\n=====\n\nOne.\n\nPart\n----\n\nTwo,\nthree.\n\nOther\n-----\n\nFour. 5 --- 6\n",
            "Title",
        ),
        (
            "a.org",
            "#+title: Title\n\n* Title\nOne.\n** TODO Part :tag:\nTwo,\nthree.\n** Other\nFour. 5 --- 6\n",
            "Title",
        ),
        (
            "a.tex",
            "\\title{Title}\n\n\\section{Title}\nOne.\n\n\\subsection*{Part}\nTwo,\nthree.\n"
            "\\subsection{Other}\nFour. 5 --- 6\n",
            "Title",
        ),
    ],
)
def test_headings_of_other_markups_are_headings(name: str, text: str, title: str) -> None:
    document = read(name, text)
    assert (document.title, document.has_own_title, document.text) == (title, True, text)
    prose = [(headings, text) for kind, headings, text in found(document) if kind == "prose"]
    assert prose[-3:] == [
        (("Title",), "One."),
        (("Title", "Part"), "Two,\nthree."),
        (("Title", "Other"), "Four. 5 --- 6"),
    ]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "a.rst",
            "About ``Tea`` `and <https://example.org>`_ pots_\n"
            "================================================\n\nOne.\n",
        ),
        ("a.org", "* TODO [#A] About [[https://example.org][Tea]] and pots :tag:\n\nOne.\n"),
        (
            "a.tex",
            "\\section{\\texorpdfstring{About \\href{x}{\\emph{Tea}\nand} pots}{About \\emph{Tea} and pots}}\\label{s}"
            "\n\nOne.\n",
        ),
    ],
)
def test_headings_are_named_without_their_markup(name: str, text: str) -> None:
    assert found(read(name, text))[-1] == ("prose", ("About Tea and pots",), "One.")


def test_a_notebook_gives_text_code_and_what_was_printed() -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# Trial\n", "\n", "It works."]},
        {"cell_type": "code", "source": "print(1)", "outputs": [{"text": ["1\n"]}, {"data": {"image/png": "x"}}]},
    ]
    document = read("a.ipynb", json.dumps({"cells": cells}))
    assert document.title == "Trial"
    assert [text for *_, text in found(document)] == ["# Trial", "It works.", "```\nprint(1)\n```", "```\n1\n```"]
    with pytest.raises(UnreadableFile, match="no notebook"):
        read("a.ipynb", '{"cells": 5}')


def test_a_notebook_of_an_old_format_is_read() -> None:
    cells = [
        {"cell_type": "heading", "level": 2, "source": ["Trial"]},
        {"cell_type": "markdown", "source": ["One", "", "Two"]},
        {"cell_type": "code", "input": ["a = 1", "a"], "outputs": [{"text": ["1"]}]},
    ]
    document = read("a.ipynb", json.dumps({"worksheets": [{"cells": cells}]}))
    assert [text for *_, text in found(document)] == ["## Trial", "One", "Two", "```\na = 1\na\n```", "```\n1\n```"]


MESSAGE = (
    "From: Ann <a@example.org>\nTo: b@example.org\nSubject: =?utf-8?b?5Lya6K6u?= today\n"
    "Date: Tue, 01 Oct 2024 10:00:00 +0200\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n\n"
    "--B\nContent-Type: text/html; charset=utf-8\n\n<p>Hello <b>there</b>.</p>\n"
    '--B\nContent-Type: application/pdf\nContent-Disposition: attachment; filename="plan.pdf"\n\nx\n--B--\n'
)


def test_a_message_has_its_subject_as_title_and_names_its_attachments() -> None:
    document = read("a.eml", MESSAGE)
    assert (document.title, document.date) == ("会议 today", datetime.date(2024, 10, 1))
    assert [text for *_, text in found(document)] == [
        "From: Ann <a@example.org>\nTo: b@example.org\nDate: Tue, 01 Oct 2024 10:00:00 +0200",
        "Hello **there**.",
        "Attachments, not read: plan.pdf",
    ]


def _parted(*parts: str) -> str:
    joined = "".join(f"--B\nContent-Type: {part}\n" for part in parts)
    return f"Subject: x\nMIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=B\n\n{joined}--B--\n"


@pytest.mark.parametrize(
    ("parts", "texts"),
    [
        (("text/html\n\n<p>Hello.</p>", "application/zip; name=a.zip\n\nx", "text/plain\n\n"), ["Hello."]),
        (("text/plain\n\nHello.", "application/zip; name=a.zip\n\nx", "text/plain\n\nBye."), ["Hello.", "Bye."]),
        (
            ("text/plain\n\nSee below.", "message/rfc822\n\nFrom: a@example.org\nSubject: Plan\n\nWe paint it."),
            ["See below.", "Subject: Plan\nFrom: a@example.org", "We paint it."],
        ),
        (("text/plain; charset=nowhere\nContent-Transfer-Encoding: 8bit\n\n会议。",), ["会议。"]),
    ],
    ids=["empty plain text", "text behind an attachment", "forwarded", "unknown encoding"],
)
def test_nothing_that_a_message_says_is_lost(parts: tuple[str, ...], texts: list[str]) -> None:
    said = [text for *_, text in found(read("a.eml", _parted(*parts)))]
    assert [text for text in said if not text.startswith("Attachments")] == texts


def test_each_message_of_a_box_is_a_section() -> None:
    line = "From a@example.org Tue Oct  1 10:00:00 2024\n"
    document = read("a.mbox", f"{line}{MESSAGE}\n{line}Subject: Two\n\nBye.\n>From here on.\n")
    assert {headings for _, headings, _ in found(document)} == {("会议 today",), ("Two",)}
    assert found(document)[-1] == ("prose", ("Two",), "Bye.\nFrom here on.")
    assert not document.has_own_title


def test_broken_messages_do_no_harm() -> None:
    for text in (
        "Content-Type: text/plain; charset=nowhere\nDate: soon\nSubject: x\n\ntext",
        "Subject: x\nTo: \x00<\n\ny",
    ):
        assert read("a.eml", text).title == "x"
    with pytest.raises(UnreadableFile, match="no message"):
        read("a.eml", "\nonly text")
    with pytest.raises(UnreadableFile, match="no box"):
        read("a.mbox", "only text")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("a.srt", "1\n00:00:01,000 --> 00:00:02,000\n<i>Hello</i>\nthere.\n\n2\n00:10:03,000 --> 00:10:04,000\nBye.\n"),
        (
            "a.vtt",
            "WEBVTT\n\n00:00:01.000 --> 00:00:02.000 align:start\nHello there.\n\n"
            "00:10:03.000 --> 00:10:04.000\nBye.\n",
        ),
    ],
)
def test_subtitles_say_when_what_is_said(name: str, text: str) -> None:
    assert read(name, text).text == "[00:00:01] Hello there. Bye."
    with pytest.raises(UnreadableFile, match="no subtitles"):
        read(name, "only text")


def test_source_code_is_code() -> None:
    document = read("a.py", "import os\n\n\ndef f():\n    return 1\n")
    assert (document.title, document.has_own_title) == ("a.py", False)
    assert found(document) == [("code", (), "import os"), ("code", (), "def f():\n    return 1")]


@pytest.mark.parametrize(
    "name", ["a.html", "a.csv", "a.json", "a.rst", "a.ipynb", "a.eml", "a.mbox", "a.srt", "a.rtf", "a.py"]
)
def test_an_empty_file_says_so(name: str) -> None:
    with pytest.raises(UnreadableFile, match="empty"):
        load(name, b" \n")

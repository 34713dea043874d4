import json
from pathlib import Path

import pytest

from kb.errors import InvalidRequest
from server.measure.eval.pdf_set import Row, read_rows

SOURCES = ["2023 Q3 AAPL.pdf", "2022 Q3 AAPL.pdf", "sub/2023 Q3 NVDA.pdf", "Report [final].pdf", "Café.pdf"]


def write(tmp_path: Path, text: str | bytes, name: str = "questions.csv") -> Path:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize(
    ("patterns", "expected"),
    [
        (["*2023 Q3 AAPL*"], [0]),
        (["*aapl*"], [0, 1]),
        (["2022 Q3 AAPL"], [1]),
        (["2022 Q3 AAPL.PDF"], [1]),
        (["sub/*"], [2]),
        (["2023 Q3 NVDA.pdf"], [2]),
        (["Report [final].pdf"], [3]),
        (["Cafe\u0301*"], [4]),
        (["*Q3 AAPL*", "Report*"], [0, 1, 3]),
        (["AAPL"], []),
        (["*MSFT*"], []),
    ],
)
def test_patterns_are_compared_with_stem_name_and_path(patterns: list[str], expected: list[int]) -> None:
    assert Row(1, "Why?", tuple(patterns)).matches(SOURCES) == [SOURCES[place] for place in expected]


def test_csv_is_read_with_any_of_the_names_and_a_byte_order_mark(tmp_path: Path) -> None:
    text = '\ufeffQuestion,Source Docs,Type,Answer\n"Why,\nreally?", *AAPL* ,x,"83,000"\n,,,\nWho?,a.pdf; b.pdf,x\n'
    assert read_rows(write(tmp_path, text)) == [
        Row(1, "Why,\nreally?", ("*AAPL*",), (), "83,000"),
        Row(3, "Who?", ("a.pdf", "b.pdf")),
    ]


@pytest.mark.parametrize(
    "head", ["QUERY;File;Pages", "question\tDOCUMENT\tpage number", "问题,文档,页码", "Question,file_name,Page(s)"]
)
def test_columns_and_separators_may_be_others(tmp_path: Path, head: str) -> None:
    separator = next(sign for sign in ";\t," if sign in head)
    [row] = read_rows(write(tmp_path, f"{head}\n{separator.join(['Why?', 'a.pdf', '12'])}\n"))
    assert (row.question, row.patterns, row.pages) == ("Why?", ("a.pdf",), (12,))


def test_table_in_the_encoding_of_an_old_spreadsheet_is_read(tmp_path: Path) -> None:
    [row] = read_rows(write(tmp_path, "问题,文件\n第二座圆顶是什么时候修好的？,报告.pdf\n".encode("gb18030")))
    assert row.patterns == ("报告.pdf",)


def test_lines_of_json_are_read(tmp_path: Path) -> None:
    lines = [
        {"Question": "Why?", "files": ["a.pdf", "b.pdf"], "page": 3, "answer": 12, "extra": {}},
        {"query": "Who?", "source": "c.pdf", "pages": [1, "4-5"]},
    ]
    text = "\n\n".join(map(json.dumps, lines))
    assert read_rows(write(tmp_path, text, "q.jsonl")) == [
        Row(1, "Why?", ("a.pdf", "b.pdf"), (3,), "12"),
        Row(2, "Who?", ("c.pdf",), (1, 4, 5)),
    ]


@pytest.mark.parametrize(
    ("text", "pages"), [("12", (12,)), ("12-14", (12, 13, 14)), ("3; 5 – 6，9", (3, 5, 6, 9)), ("", ()), (" 7 ", (7,))]
)
def test_pages_may_be_lists_and_ranges(tmp_path: Path, text: str, pages: tuple[int, ...]) -> None:
    assert read_rows(write(tmp_path, f'question,file,page\nWhy?,a.pdf,"{text}"\n'))[0].pages == pages


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("q.csv", "", "no column for the question"),
        ("q.csv", "a,b\nc,d\n", "no column for the question"),
        ("q.csv", "question,answer\nWhy?,x\n", "no column for the document"),
        ("q.csv", "question,file\n", "holds no questions"),
        ("q.csv", "question,file\n,\n", "holds no questions"),
        ("q.csv", "question,file\nWhy?,\n", "row 1 has no document"),
        ("q.csv", "question,file\nA?,a.pdf\n,b.pdf\n", "row 2 has no question"),
        ("q.csv", "question,file,page\nWhy?,a.pdf,p. 12\n", "row 1: 'p.' is not a page"),
        ("q.csv", "question,file,page\nWhy?,a.pdf,0\n", "'0' is not a page"),
        ("q.csv", "question,file,page\nWhy?,a.pdf,9-2\n", "'9-2' is not a page"),
        ("q.csv", b"\x00\x01\x02\x03" * 50, "binary data"),
        ("q.csv", f'question,file\n"{"x" * 200_000}",a.pdf\n', "is not CSV: line 2"),
        ("q.jsonl", "{", "line 1 is not JSON"),
        ("q.jsonl", "[1]", "line 1 is not a JSON object"),
        ("q.jsonl", '{"question": "Why?"}', "no column for the document"),
        ("q.jsonl", "\n", "holds no questions"),
    ],
)
def test_what_is_no_table_of_questions_is_told(tmp_path: Path, name: str, text: str | bytes, said: str) -> None:
    path = write(tmp_path, text, name)
    with pytest.raises(InvalidRequest, match=said) as error:
        read_rows(path)
    assert str(path) in error.value.message
    assert error.value.hint

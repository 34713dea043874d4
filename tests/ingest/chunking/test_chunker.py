from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunking.chunker import (
    MAX_CODE_TOKENS,
    MAX_CONTEXT_TOKENS,
    MAX_TABLE_TOKENS,
    MAX_TOKENS,
    TARGET_TOKENS,
    WHOLE_TOKENS,
    chunk,
)
from ingest.chunking.units import TokenCounter
from ingest.formats.markdown import MarkdownLoader
from kb.values.documents import Block, BlockKind, Document
from tests.ingest.chunking.made_documents import (
    SENTENCE,
    check,
    document,
    heading,
    prose,
    table,
    texts,
    visible_chars,
    words,
)

REAL_PAGES = Path(__file__).parents[3].parent / "shared" / "data" / "markdown"


def test_a_short_section_is_one_chunk_with_its_heading() -> None:
    source = document(heading("Trains"), prose("They leave at 8.", "Trains"), prose("They are late.", "Trains"))
    (only,) = chunk(source, words)
    assert only.text == "# Trains\n\nThey leave at 8.\n\nThey are late."
    assert (only.headings, only.context) == (("Trains",), "")
    assert only.tokens == 9


def test_a_chunk_knows_what_is_printed_on_its_page() -> None:
    labelled = replace(document(prose("Preface.", page=1), prose("Chapter.", page=3)), page_labels=("i", "ii", "1"))
    assert [(piece.page, piece.page_label) for piece in chunk(labelled, words)] == [(1, "i"), (3, "1")]


def test_a_chunk_crosses_neither_section_nor_page() -> None:
    source = document(
        prose("before"),
        heading("A"),
        prose("in a", "A"),
        heading("A", "B"),
        prose("in b", "A", "B", page=None),
        prose("page one", "A", "B", page=1),
        prose("page two", "A", "B", page=2),
    )
    assert texts(chunk(source, words)) == ["before", "# A\n\nin a", "# B\n\nin b", "page one", "page two"]
    assert [piece.page for piece in chunk(source, words)][-2:] == [1, 2]


def test_sections_with_equal_headings_stay_apart() -> None:
    source = document(heading("Notes"), prose("one", "Notes"), heading("Notes"), prose("two", "Notes"))
    assert texts(chunk(source, words)) == ["# Notes\n\none", "# Notes\n\ntwo"]


def test_a_heading_without_text_has_no_chunk_unless_there_is_nothing_else() -> None:
    with_text = document(heading("A"), heading("A", "B"), prose("text", "A", "B"), heading("C"))
    assert texts(chunk(with_text, words)) == ["# B\n\ntext"]
    assert texts(chunk(document(heading("A"), heading("B")), words)) == ["# A\n\n# B"]
    assert chunk(document(), words) == ()


def test_text_that_is_in_no_block_is_in_no_chunk() -> None:
    text = "one\n\n<!-- secret -->\n\ntwo"
    source = Document("", "text/markdown", text, (Block(0, 3), Block(len(text) - 3, len(text))))
    assert texts(chunk(source, words)) == ["one", "two"]


def test_a_row_is_not_parted_from_a_label_of_several_lines() -> None:
    rows = [f"Debt securities of the kind\nnumber {n} {n},000 {n},500" for n in range(30)]
    chunks = chunk(document(table(*rows)), words)
    assert len(chunks) > 2
    assert all(piece.text.startswith("Debt") for piece in chunks)
    assert sum(words(texts(chunks))) > TARGET_TOKENS * len(chunks)


def test_markup_stays_with_what_it_holds() -> None:
    long = " ".join([SENTENCE] * 5)
    source = document(prose(long), prose("/// tip | Hint"), prose(long), prose("///"), prose(long))
    chunks = chunk(source, words)
    check(source, chunks)
    assert any(piece.text == f"/// tip | Hint\n\n{long}\n\n///" for piece in chunks)


def test_short_paragraphs_are_packed_to_the_target_and_cut_between_them() -> None:
    source = document(*(prose(" ".join([SENTENCE] * 2), "A") for _ in range(9)))
    chunks = chunk(source, words)
    check(source, chunks)
    assert [piece.tokens for piece in chunks] == [61, 61, 61]
    assert all(piece.text.count("\n\n") == 2 for piece in chunks)


@pytest.mark.parametrize("sentences", [(9, 9), (5, 5, 5), (3, 6), (6, 3), (6, 2, 7), (13, 4, 13)])
def test_no_chunk_holds_the_end_of_a_paragraph_and_the_beginning_of_the_next(sentences: tuple[int, ...]) -> None:
    source = document(*(prose(" ".join([f"{n}: {SENTENCE}"] * count)) for n, count in enumerate(sentences)))
    for piece in chunk(source, words):
        inside = [block for block in source.blocks if piece.start < block.end and block.start < piece.end]
        assert len(inside) == 1 or (piece.start, piece.end) == (inside[0].start, inside[-1].end)


def test_a_long_paragraph_is_cut_evenly_between_sentences() -> None:
    source = document(prose(" ".join([SENTENCE] * 15)))
    chunks = chunk(source, words)
    check(source, chunks)
    assert [piece.tokens for piece in chunks] in ([70, 80], [80, 70], [50, 50, 50])
    assert all(piece.text.endswith(".") for piece in chunks)


def test_paragraphs_that_fill_chunks_are_each_cut_evenly() -> None:
    source = document(*(prose(" ".join(f"{n} {m} {SENTENCE}" for m in range(10))) for n in range(6)))
    assert [piece.tokens for piece in chunk(source, words)] == [60] * 12


def test_a_short_line_goes_with_a_long_block_rather_than_stay_alone() -> None:
    code = "\n".join(["x = f(y, z) + 1"] * 40)
    (only,) = chunk(
        document((code, BlockKind.CODE, (), None), prose("So it is done, and nothing more need be said of it.")), words
    )
    assert only.tokens == 240 + 12


@pytest.mark.parametrize("kind", [BlockKind.PROSE, BlockKind.TABLE])
def test_many_units_of_which_few_differ_are_divided_all_the_same(kind: BlockKind) -> None:
    unit = SENTENCE if kind is BlockKind.PROSE else "Cash and the like at hand or at the bank 1,000 2,000"
    for other in range(8):
        units = [unit] * 20 + [f"Number {other} 3,000 4,000"] + [unit] * 20
        chunks = chunk(document(("\n".join(units), kind, (), None)), words)
        assert max(piece.tokens for piece in chunks) <= 2 * TARGET_TOKENS / (1 if kind is BlockKind.PROSE else 0.8)


def test_of_many_short_paragraphs_most_chunks_begin_with_one() -> None:
    source = document(*(prose(" ".join(f"{n} {m} {SENTENCE}" for m in range(1 + n % 3 % 2))) for n in range(120)))
    begins = {block.start for block in source.blocks}
    chunks = chunk(source, words)
    check(source, chunks)
    assert sum(piece.start in begins for piece in chunks) >= 0.85 * len(chunks)


def test_no_piece_of_a_table_is_longer_than_the_maximum() -> None:
    for seed in range(20):
        rows = [f"The item with number {n * (seed + 3) % 97} of all {n},000 {seed},500" for n in range(80)]
        assert max(words(texts(chunk(document(table(*rows)), words)))) <= MAX_TOKENS


def test_a_heading_that_is_longer_than_a_chunk_is_left_out() -> None:
    source = document(heading("word " * MAX_TOKENS), prose(SENTENCE, "word " * MAX_TOKENS))
    assert texts(chunk(source, words)) == [SENTENCE]


def test_an_edit_changes_few_chunks() -> None:
    sentences = [f"{n} {SENTENCE} {n * n}." for n in range(200)]
    before = {piece.text for piece in chunk(document(prose(" ".join(sentences))), words)}
    for place in range(0, 200, 9):
        edited = [*sentences[:place], "This is another one now.", *sentences[place + 1 :]]
        after = {piece.text for piece in chunk(document(prose(" ".join(edited))), words)}
        assert len(after - before) <= 3


def test_a_line_that_leads_on_goes_with_what_follows() -> None:
    items = "\n".join(f"- the item {n} has six words" for n in range(8))
    source = document(prose(" ".join([SENTENCE] * 5)), prose("These are the things:"), prose(items))
    assert [piece.text.startswith("These are the things:\n\n- the item 0") for piece in chunk(source, words)][:2] == [
        False,
        True,
    ]


def test_list_items_are_not_divided_where_whole_ones_fill_chunks() -> None:
    items = [
        f"- Item {n} says this. " + "It says that as well, and it says more. " * 2 * (n % 4 == 3) for n in range(12)
    ]
    items = [item.strip() for item in items]
    source = document(prose("\n".join(items)))
    chunks = chunk(source, words)
    check(source, chunks)
    assert len(chunks) > 1
    assert [item for piece in chunks for item in piece.text.split("\n")] == items


def test_code_stays_whole_up_to_its_maximum() -> None:
    code = "\n\n".join(["x = f(y, z) + 1"] * 60)
    source = document(prose(SENTENCE * 4, "A"), prose("Like this:", "A"), (code, BlockKind.CODE, ("A",), None))
    chunks = chunk(source, words)
    check(source, chunks)
    assert [piece.text for piece in chunks][1:] == ["Like this:\n\n" + code]


def test_a_larger_table_is_cut_between_rows() -> None:
    rows = [f"| row {n} | cell, with comma; and more |" for n in range(100)]
    source = document(("\n".join(rows), BlockKind.TABLE, (), None))
    chunks = chunk(source, words)
    check(source, chunks)
    assert [row for piece in chunks for row in piece.text.split("\n")] == rows


def test_larger_code_is_cut_at_blank_lines() -> None:
    functions = [f"def f{n}():\n" + "\n".join(f"    x{m} = {m}" for m in range(20)) for n in range(12)]
    source = document(("\n\n\n".join(functions), BlockKind.CODE, (), None))
    chunks = chunk(source, words)
    check(source, chunks)
    assert len(chunks) > 2
    assert max(piece.tokens for piece in chunks) > MAX_TOKENS
    assert all(piece.text.startswith("def ") for piece in chunks)


def test_a_sentence_that_is_too_long_is_cut_at_its_clauses() -> None:
    clauses = [f"clause {n} has five words" for n in range(100)]
    chunks = chunk(document(prose(", ".join(clauses))), words)
    assert [part for piece in chunks for part in piece.text.rstrip(",").split(", ")] == clauses


def test_chinese_without_any_punctuation_is_cut_anywhere() -> None:
    source = document(prose("天地玄黄宇宙洪荒" * 200))
    chunks = chunk(source, visible_chars)
    check(source, chunks)
    assert all(len(piece.text) <= MAX_TOKENS for piece in chunks)
    assert min(len(piece.text) for piece in chunks) > TARGET_TOKENS // 2


def test_no_tiny_piece_is_left_at_the_end() -> None:
    for count in range(5, 60):
        source = document(prose(" ".join(f"{n} {SENTENCE}" for n in range(count))))
        assert min(piece.tokens for piece in chunk(source, words)) >= TARGET_TOKENS // 2


_text = st.text(st.sampled_from("ab 。，.,;!\n\t字词表達|-　é"), max_size=120).map(str.strip).filter(bool)


_part = st.tuples(
    _text,
    st.sampled_from(BlockKind),
    st.lists(st.sampled_from(["H", "标题", "long heading " * 9]), max_size=3).map(tuple),
    st.sampled_from([None, None, 1, 2]),
)


@given(
    st.lists(_part, max_size=12),
    st.sampled_from([words, visible_chars]),
    st.integers(1, 60),
    st.integers(1, 40),
    st.sampled_from(["", "H", "a title"]),
)
def test_whatever_the_document_nothing_is_lost_and_no_limit_exceeded(
    parts: list[Any], counter: TokenCounter, target: int, spare: int, title: str
) -> None:
    source = document(*parts, title=title)
    chunks = chunk(source, counter, target_tokens=target, max_tokens=target + spare, max_code_tokens=target + spare)
    check(source, chunks)
    for piece in chunks:
        assert piece.tokens == sum(counter([piece.context, piece.text]))
        assert sum(counter([piece.text])) <= target + spare
        assert sum(counter([piece.context])) <= MAX_CONTEXT_TOKENS + MAX_TABLE_TOKENS + 4


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the collection of real pages is not here")
@pytest.mark.parametrize("counter", [words, visible_chars])
def test_real_pages_keep_every_invariant(counter: TokenCounter) -> None:
    for path in sorted(REAL_PAGES.rglob("*.md"))[::4]:
        source = MarkdownLoader().load(path.name, path.read_bytes())
        chunks = chunk(source, counter)
        check(source, chunks)
        assert all(piece.tokens <= MAX_CODE_TOKENS + MAX_CONTEXT_TOKENS + MAX_TABLE_TOKENS for piece in chunks)


@pytest.mark.parametrize("read_tokens", [WHOLE_TOKENS - 1, 254, 126, 62])
def test_model_that_reads_little_reads_each_chunk_with_its_context(read_tokens: int) -> None:
    long_headings = " ".join(["heading"] * 40), " ".join(["nearer"] * 40)
    header = "| " + " | ".join(["column"] * 30) + " |"
    rows = [f"| {' | '.join(['cell'] * 12)} |" for _ in range(20)]
    source = document(
        heading(*long_headings),
        prose(" ".join(["word"] * 400) + ".", *long_headings),
        prose(f"{SENTENCE} " * 60, *long_headings),
        (" ".join(["code"] * 900), BlockKind.CODE, long_headings, None),
        ("\n".join([header, header.replace("column", "---"), *rows]), BlockKind.TABLE, long_headings, None),
        title=" ".join(["title"] * 40),
    )
    source = replace(source, names=tuple(f"name {number} of it" for number in range(20)))
    chunks = chunk(source, words, read_tokens=read_tokens)
    check(source, chunks)
    assert max(piece.tokens for piece in chunks) <= read_tokens
    assert max(piece.tokens for piece in chunks) > read_tokens // 4


def test_model_that_reads_enough_has_the_same_chunks_however_much_it_reads() -> None:
    source = document(heading("A"), prose(f"{SENTENCE} " * 60, "A"), title="T")
    assert (
        chunk(source, words, read_tokens=WHOLE_TOKENS) == chunk(source, words, read_tokens=8192) == chunk(source, words)
    )

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunker import MAX_TOKENS, TARGET_TOKENS, chunk
from ingest.markdown import MarkdownLoader
from kb.types import Block, BlockKind, Chunk, Document

REAL_PAGES = Path(__file__).parents[2].parent / "shared" / "data" / "markdown"
SENTENCE = "The quick brown fox jumps over the lazy dog again."  # ten words


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


def visible_chars(texts: Sequence[str]) -> list[int]:
    return [len("".join(text.split())) for text in texts]


def document(*parts: tuple[str, BlockKind, tuple[str, ...], int | None], title: str = "") -> Document:
    text, blocks = "", []
    for content, kind, headings, page in parts:
        blocks.append(Block(len(text), len(text) + len(content), kind, headings, page))
        text += content + "\n\n"
    return Document(title, "text/markdown", text, tuple(blocks), has_own_title=bool(title))


def prose(text: str, *headings: str, page: int | None = None) -> tuple[str, BlockKind, tuple[str, ...], int | None]:
    return text, BlockKind.PROSE, headings, page


def heading(*headings: str, page: int | None = None) -> tuple[str, BlockKind, tuple[str, ...], int | None]:
    return f"# {headings[-1]}", BlockKind.HEADING, headings, page


def texts(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk.text for chunk in chunks]


def check(source: Document, chunks: Sequence[Chunk]) -> None:
    """The invariants that hold for every document."""
    covered: set[int] = set()
    for piece in chunks:
        assert source.text[piece.start : piece.end] == piece.text == piece.text.strip() != ""
        covered.update(range(piece.start, piece.end))
    assert all(left.end <= right.start for left, right in pairwise(chunks))
    only_headings = all(block.kind is BlockKind.HEADING for block in source.blocks)
    for block in source.blocks:
        if only_headings or block.kind is not BlockKind.HEADING:
            lost = [at for at in range(block.start, block.end) if not source.text[at].isspace() and at not in covered]
            assert not lost, source.text[lost[0] : block.end]
        inside = [piece for piece in chunks if piece.start < block.end and block.start < piece.end]
        assert all((piece.headings, piece.page) == (block.headings, block.page) for piece in inside) or only_headings


def test_a_short_section_is_one_chunk_with_its_heading() -> None:
    source = document(heading("Trains"), prose("They leave at 8.", "Trains"), prose("They are late.", "Trains"))
    (only,) = chunk(source, words)
    assert only.text == "# Trains\n\nThey leave at 8.\n\nThey are late."
    assert (only.headings, only.context) == (("Trains",), "Trains")
    assert only.tokens == 1 + 9


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


def test_the_context_is_the_title_and_the_headings() -> None:
    section = prose("text", "Part", "Chapter")
    assert chunk(document(section, title="Book"), words)[0].context == "Book › Part › Chapter"
    assert chunk(document(section, title="part"), words)[0].context == "Part › Chapter"
    untitled = document(section)
    assert chunk(untitled, words)[0].context == "Part › Chapter"
    assert chunk(document(prose("text")), words)[0].context == ""


def test_a_long_context_keeps_the_title_and_the_nearest_heading() -> None:
    path = [f"level {n} " + "x " * 20 for n in range(6)]
    (piece,) = chunk(document(prose("text", *path), title="The title"), words)
    assert piece.context.startswith("The title › ")
    assert path[-1] in piece.context
    assert words([piece.context])[0] <= 64
    assert piece.headings == tuple(path)


def test_an_endless_heading_is_clipped() -> None:
    (piece,) = chunk(document(prose("text", "word " * 500)), words)
    assert piece.tokens <= 64
    assert piece.context.endswith("…")


def test_paragraphs_are_packed_to_the_target_and_cut_between_them() -> None:
    source = document(*(prose(" ".join([SENTENCE] * 7), "A") for _ in range(9)))
    chunks = chunk(source, words)
    check(source, chunks)
    assert [piece.tokens for piece in chunks] == [211, 211, 211]
    assert all(piece.text.count("\n\n") == 2 for piece in chunks)


def test_a_cut_between_paragraphs_is_better_than_equal_lengths() -> None:
    source = document(*(prose(" ".join([SENTENCE] * sentences)) for sentences in (10, 10, 6, 10, 10)))
    assert sorted(piece.tokens for piece in chunk(source, words)) == [200, 260]


def test_a_long_paragraph_is_cut_evenly_between_sentences() -> None:
    source = document(prose(" ".join([SENTENCE] * 47)))
    chunks = chunk(source, words)
    check(source, chunks)
    assert [piece.tokens for piece in chunks] in ([230, 240], [240, 230])
    assert all(piece.text.endswith(".") for piece in chunks)


def test_code_and_tables_stay_whole_up_to_the_maximum() -> None:
    table = "\n".join(["| a | b |"] * 60)
    source = document(prose(SENTENCE, "A"), (table, BlockKind.TABLE, ("A",), None), prose(SENTENCE, "A"))
    chunks = chunk(source, words)
    check(source, chunks)
    assert sum("| a | b |" in piece.text for piece in chunks) == 1


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
    for count in range(20, 120):
        source = document(prose(" ".join([SENTENCE] * count)))
        assert min(piece.tokens for piece in chunk(source, words)) >= 100


def test_the_counter_is_called_a_few_times_only() -> None:
    calls = []

    def count(batch: Sequence[str]) -> list[int]:
        calls.append(len(batch))
        return words(batch)

    chunk(document(*(prose(SENTENCE, "A", str(n)) for n in range(500))), count)
    assert len(calls) <= 4


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
def test_whatever_the_document_nothing_is_lost_and_no_limit_exceeded(parts, counter, target, spare, title) -> None:
    source = document(*parts, title=title)
    chunks = chunk(source, counter, target_tokens=target, max_tokens=target + spare)
    check(source, chunks)
    for piece in chunks:
        assert piece.tokens == sum(counter([piece.context, piece.text]))
        if target + spare > 16:  # below, even the shortest context with one more token can be too long
            assert piece.tokens <= target + spare


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the collection of real pages is not here")
@pytest.mark.parametrize("counter", [words, visible_chars])
def test_real_pages_keep_every_invariant(counter) -> None:
    for path in sorted(REAL_PAGES.rglob("*.md"))[::4]:
        source = MarkdownLoader().load(path)
        chunks = chunk(source, counter)
        check(source, chunks)
        assert all(piece.tokens <= MAX_TOKENS for piece in chunks)

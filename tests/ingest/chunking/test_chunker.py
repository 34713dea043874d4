from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.chunking.chunker import (
    MAX_CODE_TOKENS,
    MAX_CONTEXT_TOKENS,
    MAX_NAMES_TOKENS,
    MAX_TABLE_TOKENS,
    MAX_TOKENS,
    TARGET_TOKENS,
    chunk,
)
from ingest.formats.markdown import MarkdownLoader
from kb.values.documents import Block, BlockKind, Chunk, Document

REAL_PAGES = Path(__file__).parents[3].parent / "shared" / "data" / "markdown"
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
    assert (only.headings, only.context) == (("Trains",), "")
    assert only.tokens == 9


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


def test_a_heading_that_the_text_begins_with_is_not_said_again() -> None:
    text = [" ".join([SENTENCE] * 5)] * 2
    source = document(heading("Part", "Trains"), *(prose(part, "Part", "Trains") for part in text), title="Book")
    assert [piece.context for piece in chunk(source, words)] == ["Book › Part", "Book › Part › Trains"]


def test_of_a_long_path_the_title_the_nearest_heading_and_the_one_above_are_kept() -> None:
    path = [f"level {n}" for n in range(6)]
    (piece,) = chunk(document(prose("text", *path), title="The title"), words)
    assert piece.context == "The title › level 4 › level 5"
    assert piece.headings == tuple(path)


def test_long_titles_and_headings_are_clipped_between_words() -> None:
    title, *path = (f"{name} " + "abcdefgh " * 40 for name in ("title", "above", "nearest"))
    (piece,) = chunk(document(prose("text", *path), title=title), words)
    parts = piece.context.split(" › ")
    assert [part.split()[0] for part in parts] == ["title", "nearest"]
    assert all(part.endswith("abcdefgh…") for part in parts)
    assert words([piece.context])[0] <= MAX_CONTEXT_TOKENS


def test_an_endless_heading_is_clipped() -> None:
    (piece,) = chunk(document(prose("text", "word " * 500)), words)
    assert piece.tokens <= MAX_CONTEXT_TOKENS + 1
    assert piece.context.endswith("…")


def test_other_names_of_a_document_are_told_with_its_first_chunk_alone() -> None:
    source = document(prose("one", "A"), prose("two", "B"), title="Dome")
    plain = chunk(source, words)
    named = chunk(replace(source, names=("Dome 2", "Ann Smith")), words)
    assert [piece.context for piece in named] == ["Dome › A\nDome 2, Ann Smith", "Dome › B"]
    assert named[1:] == plain[1:]
    assert [(piece.start, piece.end, piece.text) for piece in named] == [
        (piece.start, piece.end, piece.text) for piece in plain
    ]
    many = tuple(f"name {n}" for n in range(100))
    (context,) = {piece.context for piece in chunk(replace(source, names=("word " * 90, *many)), words)[:1]}
    assert words([context.partition("\n")[2]])[0] <= MAX_NAMES_TOKENS
    assert "name 0, name 1" in context


def table(*lines: str) -> tuple[str, BlockKind, tuple[str, ...], int | None]:
    return "\n".join(lines), BlockKind.TABLE, ("A",), None


def test_each_piece_of_a_table_is_told_its_header() -> None:
    rows = [f"| row {n} | {n} | {n} |" for n in range(60)]
    chunks = chunk(document(table("| name | 2022 | 2021 |", "| --- | --- | --- |", *rows)), words)
    assert chunks[0].text.startswith("| name |")
    assert chunks[0].context == "A"
    assert {piece.context for piece in chunks[1:]} == {"A\nname | 2022 | 2021"}


def test_each_piece_of_a_table_is_told_what_leads_to_it_and_its_continuation_too() -> None:
    header = ("Three Months Ended", "2022 2021")
    rows = [f"Item number {n} {n},000 {n},500" for n in range(30)]
    source = document(
        prose("We sold much. Sales in millions were as follows:", "A"),
        table(*header, *rows),
        table(*rows),
        prose("End.", "A"),
    )
    chunks = chunk(source, words)
    inside = [piece for piece in chunks[1:] if piece.text.startswith("Item")]
    assert len(inside) > 2
    assert {piece.context for piece in inside} == {
        "A\nSales in millions were as follows:\nThree Months Ended 2022 2021"
    }


def test_prose_before_a_table_that_does_not_lead_to_it_is_not_told() -> None:
    rows = [f"Item number {n} {n},000 {n},500" for n in range(30)]
    chunks = chunk(document(prose("That was all of it.", "A"), table(*rows)), words)
    assert {piece.context for piece in chunks} == {"A"}


def test_what_is_told_of_a_table_is_clipped() -> None:
    rows = [f"Item number {n} {n},000 {n},500" for n in range(30)]
    lead = "so " * 60 + "it was:"
    chunks = chunk(document(prose(lead, "A"), table("head " * 60, *rows)), words)
    told = chunks[-1].context.removeprefix("A\n")
    assert told.startswith("so so")
    assert told.endswith("head…")
    assert words([told])[0] <= MAX_TABLE_TOKENS


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


class Counter:
    """Counts words, and notes how much it was given at once."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int]] = []

    def __call__(self, batch: Sequence[str]) -> list[int]:
        self.calls.append((len(batch), sum(map(len, batch))))
        return words(batch)


def test_the_counter_is_called_a_few_times_only() -> None:
    count = Counter()
    chunk(document(*(prose(SENTENCE, "A", str(n)) for n in range(500))), count)
    assert len(count.calls) <= 8


@pytest.mark.parametrize("text", [f"{SENTENCE} " * 5000, "word " * 60_000, "x" * 300_000])
def test_the_counter_is_never_given_much_at_once(text: str) -> None:
    count = Counter()
    source = document(prose(text.strip(), "A"))
    chunks = chunk(source, count)
    check(source, chunks)
    assert max(texts for texts, _ in count.calls) <= 256
    assert max(chars for _, chars in count.calls) <= 65_536


def test_work_on_a_long_document_can_be_ended_between_its_parts() -> None:
    class Enough(Exception):
        pass

    checks = 0

    def end() -> None:
        nonlocal checks
        checks += 1
        if checks > 20:
            raise Enough

    count = Counter()
    with pytest.raises(Enough):
        chunk(document(*(prose(f"{n} {SENTENCE}", "A") for n in range(100))), count, end)
    assert sum(texts for texts, _ in count.calls) < 20
    checks = 15
    with pytest.raises(Enough):
        chunk(document(prose(" ".join(f"{n} {SENTENCE}" for n in range(3000)))), count, end)
    assert 0 < len(count.calls) < 6


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
    chunks = chunk(source, counter, target_tokens=target, max_tokens=target + spare, max_code_tokens=target + spare)
    check(source, chunks)
    for piece in chunks:
        assert piece.tokens == sum(counter([piece.context, piece.text]))
        assert sum(counter([piece.text])) <= target + spare
        assert sum(counter([piece.context])) <= MAX_CONTEXT_TOKENS + MAX_TABLE_TOKENS + 4


@pytest.mark.skipif(not REAL_PAGES.is_dir(), reason="the collection of real pages is not here")
@pytest.mark.parametrize("counter", [words, visible_chars])
def test_real_pages_keep_every_invariant(counter) -> None:
    for path in sorted(REAL_PAGES.rglob("*.md"))[::4]:
        source = MarkdownLoader().load(path)
        chunks = chunk(source, counter)
        check(source, chunks)
        assert all(piece.tokens <= MAX_CODE_TOKENS + MAX_CONTEXT_TOKENS + MAX_TABLE_TOKENS for piece in chunks)

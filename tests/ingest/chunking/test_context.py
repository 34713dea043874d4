"""What a chunk is told beyond its own words."""

from dataclasses import replace

from ingest.chunking.chunker import (
    MAX_CONTEXT_TOKENS,
    MAX_NAMES_TOKENS,
    MAX_TABLE_TOKENS,
    chunk,
)
from tests.ingest.chunking.made_documents import SENTENCE, document, heading, prose, table, words


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
    chunks = chunk(document(prose(lead, "A"), table("head " * 100, *rows)), words)
    told = chunks[-1].context.removeprefix("A\n")
    assert told.startswith("so so")
    assert told.endswith("head…")
    assert words([told])[0] <= MAX_TABLE_TOKENS

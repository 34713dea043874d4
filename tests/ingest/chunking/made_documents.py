"""Documents made of parts, counters of tokens, and what holds for the chunks of every document."""

from collections.abc import Sequence
from itertools import pairwise

from kb.values.documents import Block, BlockKind, Chunk, Document

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


def table(*lines: str) -> tuple[str, BlockKind, tuple[str, ...], int | None]:
    return "\n".join(lines), BlockKind.TABLE, ("A",), None


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

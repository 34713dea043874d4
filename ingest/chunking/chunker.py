"""Cuts a document into chunks: small pieces that are embedded and found, each with what it needs to be understood.

Pure. A chunk never crosses a section or a page. What it needs beyond its own words, title and headings and the header
of its table, stands in its context; the document's other names stand in that of the first one. Invariant: chunks are in
order and do not overlap, and every character of every block is in one of them, but for white space and headings.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

from ingest.chunking.context import missing_lead, named_path, names_context, path_context, table_context, table_leads
from ingest.chunking.packing import Unit, packed
from ingest.chunking.units import Limits, TokenCounter, Tokens, units
from kb.values.documents import Block, BlockKind, Chunk, Document

TARGET_TOKENS = 60
"""Small pieces are found better: with pieces of 60 tokens instead of 220, recall@1 of multilingual-e5-small rose from
0.929 to 0.947 on XQuAD in English, from 0.89 to 0.917 in Chinese, and from 0.937 to 0.976 on CMRC 2018."""

MAX_TOKENS = 150
"""A long sentence stays whole."""

MAX_CODE_TOKENS = 400
"""With its context, a code block still goes into the 512 tokens of the model."""

MAX_CONTEXT_TOKENS = 28
MAX_TABLE_TOKENS = 72
"""Half of the headers in quarterly reports are longer than 41 tokens, one in thirty longer than 72."""
MAX_NAMES_TOKENS = 32

WHOLE_TOKENS = MAX_CODE_TOKENS + MAX_CONTEXT_TOKENS + MAX_NAMES_TOKENS
"""A model that reads so much reads each chunk with its context whole; for one that reads less they are smaller."""

_CONTEXT_PART, _TABLE_PART = 8, 5  # of what a model reads, where that is little

MAX_HEADING_CHARS = 500
"""Each chunk has its headings: one that is longer is no heading, and would be kept as often as there are chunks."""


@dataclass(frozen=True, slots=True)
class _Section:
    """Blocks under one heading and on one page, with nothing between them but white space."""

    heading: Block | None
    blocks: list[Block] = field(default_factory=list)

    @property
    def first(self) -> Block:
        return self.heading or self.blocks[0]

    @property
    def headings(self) -> tuple[str, ...]:
        return tuple(heading[:MAX_HEADING_CHARS] for heading in self.first.headings)


def chunk(
    document: Document,
    count_tokens: TokenCounter,
    check: Callable[[], None] = lambda: None,
    *,
    target_tokens: int = TARGET_TOKENS,
    max_tokens: int = MAX_TOKENS,
    max_code_tokens: int = MAX_CODE_TOKENS,
    max_context_tokens: int = MAX_CONTEXT_TOKENS,
    max_table_tokens: int = MAX_TABLE_TOKENS,
    read_tokens: int = WHOLE_TOKENS,
) -> tuple[Chunk, ...]:
    """Cuts a document into chunks.

    Paragraphs, list items and table rows are kept whole where they can be, and short ones go together. A heading goes
    with the text that follows it; one without text of its own is left to the context of the others.

    Args:
        count_tokens: Counts the tokens of each of many texts.
        check: Called now and then; what it raises ends the work.
        target_tokens: The length that the texts of chunks come near.
        max_tokens: The length that the text of a chunk does not exceed, as far as the counts of its parts add up.
        max_code_tokens: The same for a chunk with a code block, which stays whole up to this length.
        max_context_tokens: The length of title and headings in a context.
        max_table_tokens: The length of what is said there of a table, where a chunk holds only some of its rows.
        read_tokens: What the embedding model reads of a chunk with its context; all else is less where that is little.

    Returns:
        Chunks in order, with headings and page of the section they lie in.
    """
    text, tokens = document.text, Tokens(count_tokens, check)
    max_names_tokens = MAX_NAMES_TOKENS
    limits = Limits(target_tokens, max(target_tokens, max_tokens), max(target_tokens, max_tokens, max_code_tokens))
    if read_tokens < WHOLE_TOKENS:
        max_context_tokens = max_names_tokens = min(max_context_tokens, read_tokens // _CONTEXT_PART)
        max_table_tokens = min(max_table_tokens, read_tokens // _TABLE_PART)
        limits = _within(limits, read_tokens - max_context_tokens - max_names_tokens, max_table_tokens)
    sections = _sections(document)
    paths = [named_path(document, section.first.headings) for section in sections]
    leads = list(table_leads(text, document.blocks))
    tokens.learn(chain(document.names, chain.from_iterable(paths)))
    tokens.learn(part for lead in leads for _, part in lead.parts)
    tokens.learn(_text_of(text, section.heading) for section in sections)
    chunks: list[Chunk] = []
    for number, members in units(text, [section.blocks for section in sections], tokens, limits):
        check()
        section, path = sections[number], paths[number]
        headings, page = section.headings, section.first.page
        for start, end in packed(text, _with_heading(section.heading, tokens, text, members), limits.target, check):
            holds_heading = section.heading is not None and start == section.heading.start
            table = missing_lead(leads, start)
            context = (
                path_context(path, document.has_own_title, holds_heading, tokens, max_context_tokens),
                "" if chunks else names_context(document.names, tokens, max_names_tokens),
                table_context(table, tokens, max_table_tokens),
            )
            place = start, end, text[start:end], headings, page, "\n".join(filter(None, context))
            chunks.append(Chunk(*place, page_label=_label_of(document, page), by_ocr=page in document.ocr_pages))
    return _counted(chunks, text, tokens)


def _counted(chunks: Sequence[Chunk], text: str, tokens: Tokens) -> tuple[Chunk, ...]:
    """The same with the length of text and context together."""
    tokens.learn(piece.context for piece in chunks)
    sizes = tokens.each(text[piece.start : piece.end] for piece in chunks)
    return tuple(replace(piece, tokens=tokens[piece.context] + size) for piece, size in zip(chunks, sizes, strict=True))


def _label_of(document: Document, page: int | None) -> str:
    return document.page_labels[page - 1] if page and document.page_labels else ""


def _within(limits: Limits, read_tokens: int, table_tokens: int) -> Limits:
    """Limits for a model that reads so much of a chunk beside its context, and beside what is said of a table."""
    prose = min(limits.prose, read_tokens - table_tokens)
    return Limits(min(limits.target, prose), prose, min(limits.code, read_tokens))


def _text_of(text: str, block: Block | None) -> str:
    return text[block.start : block.end] if block else ""


def _sections(document: Document) -> list[_Section]:
    """Groups blocks; headings without text are dropped, or kept as text where there is nothing else."""
    blocks: Sequence[Block] = document.blocks
    if all(block.kind is BlockKind.HEADING for block in blocks):
        blocks = [replace(block, kind=BlockKind.PROSE, headings=()) for block in blocks]
    sections: list[_Section] = []
    end = 0
    for block in blocks:
        if block.kind is BlockKind.HEADING:
            sections.append(_Section(block))
        elif sections and _continues(sections[-1].first, block) and not document.text[end : block.start].strip():
            sections[-1].blocks.append(block)
        else:
            sections.append(_Section(None, [block]))
        end = block.end
    return [section for section in sections if section.blocks]


def _continues(first: Block, block: Block) -> bool:
    return (first.headings, first.page) == (block.headings, block.page)


def _with_heading(heading: Block | None, tokens: Tokens, text: str, pieces: Iterator[Unit]) -> Iterator[Unit]:
    first = next(pieces)
    size = tokens[_text_of(text, heading)] + first.tokens
    if heading is not None and size <= first.limit:
        first = replace(first, start=heading.start, tokens=size)
    return chain([first], pieces)

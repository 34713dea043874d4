"""The promise of citations, over real files: each quote stands in the document's text at its offsets.

Files take the real way, through the child process, the chunker and the passages; the answers are the documents' own
sentences and questions' words, whole, shortened and mixed, so that every path of the alignment is taken.
"""

import random
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path

import pytest

from ingest.chunking.chunker import chunk
from ingest.formats.registry import supported
from ingest.sandbox.parser import ParserProcess
from kb.citing.citations import Citer
from kb.errors import UnreadableFile
from kb.text.sentences import sentence_spans
from kb.values.documents import Chunk, Document
from kb.values.passages import Passage, PassagePart

SAMPLES = Path(__file__).parents[1] / "sample_docs"
ANSWERS_PER_DOCUMENT = 12


def test_quotes_of_the_sample_documents_are_verbatim() -> None:
    assert _check_files(SAMPLES, "**/*") >= ANSWERS_PER_DOCUMENT


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("files", ["markdown/**/*", "nasty-pdfs/*", "sec-10-q/**/2022 Q3*.pdf"])
def test_quotes_of_real_documents_are_verbatim(shared_data: Path, files: str) -> None:
    assert _check_files(shared_data, files) >= ANSWERS_PER_DOCUMENT


def _check_files(folder: Path, pattern: str) -> int:
    checked = 0
    with ParserProcess() as parser:
        for path in sorted(path for path in folder.glob(pattern) if path.is_file() and supported(path)):
            try:
                document = parser.parse(
                    path.parent, path.name, seconds=120, memory_bytes=600_000_000, max_bytes=200_000_000
                )
            except UnreadableFile:
                continue
            chunks = chunk(document, lambda texts: [len(text) // 4 + 1 for text in texts])
            for piece in chunks:
                assert document.text[piece.start : piece.end] == piece.text, path
            checked += _check_answers(document, chunks, random.Random(path.name))
    return checked


def _check_answers(document: Document, chunks: Sequence[Chunk], rng: random.Random) -> int:
    passages = tuple(_passages(document, chunks, rng))
    answer = " ".join(_sentences(passages, rng))
    citer = Citer(document.title, passages)
    citations = [
        citation
        for span in sentence_spans(answer)
        if (alignment := citer.align(answer[slice(*span)]))
        for citation in citer.citations(alignment, span, "supported")
    ]
    for citation in citations:
        assert len(citation.quote) <= 600
        assert document.text[citation.start : citation.end] == citation.quote
        holder = next(piece for piece in chunks if piece.start <= citation.start < piece.end)
        assert citation.page == holder.page
    return len(citations)


def _passages(document: Document, chunks: Sequence[Chunk], rng: random.Random) -> Iterator[Passage]:
    """Some chunks alone, and some with their neighbour, as a search would give them."""
    groups = [(piece,) for piece in chunks] + list(pairwise(chunks))
    for number, group in enumerate(rng.sample(groups, min(6, len(groups))), start=1):
        start, end = group[0].start, group[-1].end
        parts = tuple(PassagePart(piece.start, piece.end, piece.page, piece.headings) for piece in group)
        yield Passage(number, "id", document.title, "source", document.text[start:end], start, end, parts, 1.0)


def _sentences(passages: Sequence[Passage], rng: random.Random) -> Iterator[str]:
    for passage in passages:
        spans = sentence_spans(passage.text)
        for start, end in rng.sample(spans, min(2, len(spans))):
            sentence = passage.text[start:end]
            words = sentence.split()
            yield rng.choice(
                [sentence, " ".join(words[: len(words) // 2 + 1]) + ".", " ".join(rng.sample(words, len(words)))]
            )

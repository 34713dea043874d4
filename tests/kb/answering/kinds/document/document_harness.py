"""Documents with headings and pages, in a knowledge base over fakes."""

from collections.abc import Sequence

from kb.knowledge_base import KnowledgeBase
from kb.values.documents import Chunk, Document, FileVersion
from kb.values.passages import StoredChunk

Paragraph = tuple[str, str]
"""A heading, and what stands below it."""

LEASE = (
    ("Term", "The lease begins on 1 May 2025 and runs for two years."),
    ("Rent", "The rent is 940 euros a month, payable by the third working day."),
    ("Notice", "Either side may give notice of three months to the end of a quarter."),
)


def stored(texts: Sequence[Paragraph], *, title: str = "The lease", page: int | None = None) -> list[StoredChunk]:
    """Chunks in the order of a document; a token is a character."""
    found, start = [], 0
    for n, (heading, text) in enumerate(texts):
        chunk = Chunk(start, start + len(text), text, (title, heading) if heading else (title,), page, tokens=len(text))
        found.append(StoredChunk(n + 1, "doc", n, title, "lease.md", chunk))
        start += len(text) + 1
    return found


def add(knowledge_base: KnowledgeBase, source: str, title: str, *texts: Paragraph, modified_ns: int = 1_000) -> str:
    """Indexes a document."""
    chunks = [each.chunk for each in stored(texts, title=title)]
    document = Document(title, "text/markdown", "\n".join(text for _, text in texts), (), has_own_title=True)
    file = FileVersion("/notes", source, 10, modified_ns, f"hash of {source} {modified_ns}")
    return knowledge_base.replace(file, document, chunks)

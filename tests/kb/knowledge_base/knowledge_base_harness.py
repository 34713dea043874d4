"""Documents for a knowledge base over fakes."""

from collections.abc import Callable

from kb.knowledge_base import KnowledgeBase
from kb.values.documents import Chunk, Document, FileVersion

DOME = "The second dome opens at nine in the evening."
BREAD = "Bread is baked from flour and water."
PATIENCE_SECONDS = 10.0


def file_named(source: str, modified_ns: int = 1_000) -> FileVersion:
    return FileVersion("/notes", source, 10, modified_ns, f"hash of {source}")


def add(knowledge_base: KnowledgeBase, source: str, *texts: str, check: Callable[[], None] = lambda: None) -> str:
    chunks, start = [], 0
    for text in texts:
        chunks.append(Chunk(start, start + len(text), text, tokens=len(text)))
        start += len(text) + 1
    return knowledge_base.replace(
        file_named(source), Document(source, "text/markdown", "\n".join(texts), ()), chunks, check
    )


def maintained(knowledge_base: KnowledgeBase) -> int:
    """Takes steps until there is nothing more to do; gives their number."""
    steps = 0
    while knowledge_base.maintain():
        steps += 1
    return steps

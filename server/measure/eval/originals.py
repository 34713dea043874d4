"""The files of indexed documents, read once more: sections and pages, which the knowledge base does not hand out."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from ingest.sandbox.parser import ParserProcess
from ingest.settings import IngestSettings
from kb.errors import UnreadableFile
from kb.knowledge_base import KnowledgeBase
from kb.values.documents import Document, DocumentInfo
from server.measure.eval.asking import with_bar
from server.terminal import console


def read_again(
    knowledge_base: KnowledgeBase, documents: Sequence[DocumentInfo], settings: IngestSettings
) -> Iterator[tuple[DocumentInfo, Document]]:
    """Reads the files of documents, as the pipeline does: in a child process, with limits.

    A file that is gone, or that has changed since it was indexed, is passed over: its offsets would mean nothing.
    """
    with ParserProcess() as parser:
        for info in with_bar(console.err, "reading", documents):
            try:
                document = parser.parse(
                    Path(info.file.root),
                    info.file.source,
                    seconds=settings.parse_seconds,
                    memory_bytes=settings.parse_memory_bytes,
                    max_bytes=settings.max_file_bytes,
                )
            except UnreadableFile:
                continue
            if document.text == knowledge_base.text(info.id):
                yield info, document

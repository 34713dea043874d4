"""A knowledge base made for a test set: its files written, indexed by the real pipeline, and removed again.

Everything is as the user has set it but for the data directory. A folder that is kept between runs is the same to the
pipeline as any watched folder: what has not changed is not embedded again.
"""

import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from ingest.pipeline.pipeline import Pipeline
from ingest.settings import IngestSettings
from kb.errors import InvalidRequest, StorageError
from kb.knowledge_base import KnowledgeBase
from kb.values.documents import DocumentInfo
from kb.wiring import open_knowledge_base
from server.client.polling import polling
from server.http.state import report_status, sync_now
from server.measure.eval.questions import Span
from server.measure.eval.squad import Article
from server.terminal import console
from server.terminal.loading import show_loading
from server.terminal.work_view import work_progress

_MARK = "r1-kb-evaluation"
_HOME, _FILES = "home", "files"


@contextmanager
def workplace(base: Path | None) -> Iterator[Path]:
    """A folder for data directory and files.

    Args:
        base: Made if it is not there, and kept; None: one that is gone after the block, also when it is interrupted.

    Raises:
        InvalidRequest: There is something else in the folder.
        StorageError: It cannot be written.
    """
    if base is None:
        with tempfile.TemporaryDirectory(prefix="r1-kb-eval-") as temporary:
            yield Path(temporary)
        return
    try:
        base.mkdir(parents=True, exist_ok=True)
        if any(base.iterdir()) and not (base / _MARK).exists():
            raise InvalidRequest(f"{base} holds other files", "name a folder that is new or empty for --base")
        (base / _MARK).touch()
    except OSError as error:
        raise StorageError(f"{base} cannot be used: {error.strerror}", "name another folder for --base") from error
    yield base


def write_articles(place: Path, sets: Mapping[str, Sequence[Article]]) -> Path:
    """Writes test sets below a workplace; files of other sets go.

    Args:
        sets: The articles by the name of the folder that holds them.

    Returns:
        The folder that holds all of them.
    """
    folder = place.resolve() / _FILES
    texts = {path: article.as_markdown().encode() for path, article in article_files(folder, sets).items()}
    folder.mkdir(exist_ok=True)
    for path in folder.rglob("*.md"):
        if path not in texts:
            path.unlink()
    for path, text in texts.items():
        path.parent.mkdir(exist_ok=True)
        if not path.exists() or path.read_bytes() != text:
            path.write_bytes(text)
    return folder


def article_files(folder: Path, sets: Mapping[str, Sequence[Article]]) -> dict[Path, Article]:
    """Where each article of some sets is written, in their order: one Markdown file each.

    A file is named by its number, so that a title may be anything.
    """
    return {
        folder / name / f"{number:05}.md": article
        for name, articles in sets.items()
        for number, article in enumerate(articles, start=1)
    }


@contextmanager
def indexed(
    settings: IngestSettings, place: Path, folders: Iterable[Path], *, answering: bool
) -> Iterator[KnowledgeBase]:
    """Indexes folders into a data directory of their own, and shows how far that is.

    Args:
        settings: The user's own.
        place: The workplace; the data directory is made in it.
        answering: Whether the answering model is needed, too.

    Raises:
        KBError: A model is missing, or nothing can be indexed.
    """
    own = settings.model_copy(update={"home": place / _HOME, "folders": (), "settle_seconds": 0.0})
    with open_knowledge_base(own) as knowledge_base:
        show_loading(knowledge_base, answering)
        pipeline = Pipeline(knowledge_base, [folder.resolve() for folder in folders], own)
        pipeline.start()
        try:
            with work_progress(console.err) as watch, polling(lambda: watch(report_status(knowledge_base, pipeline))):
                sync_now(knowledge_base, pipeline)
                pipeline.stop()
                while knowledge_base.maintain():  # another embedding model takes over in steps
                    pass
        finally:
            pipeline.stop()
        yield knowledge_base


def locate(text: str, paragraphs: Iterable[str]) -> list[tuple[int, int] | None]:
    """Finds paragraphs in a document, whatever white space is between their words.

    Args:
        paragraphs: In the order in which they stand in the text.

    Returns:
        For each its start and end in characters of the text; None where it is not there.
    """
    places = [place for place, char in enumerate(text) if not char.isspace()]
    solid = "".join(text[place] for place in places)
    found: list[tuple[int, int] | None] = []
    begin = 0
    for paragraph in paragraphs:
        wanted = "".join(paragraph.split())
        start = solid.find(wanted, begin)
        if start < 0 or not wanted:
            found.append(None)
            continue
        begin = start + len(wanted)
        found.append((places[start], places[begin - 1] + 1))
    return found


def locate_article(knowledge_base: KnowledgeBase, document: DocumentInfo | None, article: Article) -> list[Span | None]:
    """Finds the paragraphs of an article in the document that was made of it; None for each that is not indexed."""
    if document is None:
        return [None] * len(article.paragraphs)
    places = locate(knowledge_base.text(document.id), article.paragraphs)
    return [Span(document.id, *place) if place else None for place in places]


def documents_by_path(knowledge_base: KnowledgeBase) -> dict[Path, DocumentInfo]:
    """All indexed documents by the absolute paths of their files."""
    return {Path(document.file.root, document.file.source): document for document in knowledge_base.documents()}

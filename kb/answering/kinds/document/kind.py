"""Answers to what a document says as a whole."""

from collections.abc import Generator, Sequence
from dataclasses import replace

from kb.answering.drafting.clock import QuestionClock
from kb.answering.kinds.cited_text import Assembly
from kb.answering.kinds.document.meant import documents_meant, part_meant
from kb.answering.kinds.document.reading import Reader
from kb.answering.kinds.document.saying import choices_text, laid_out, read_text
from kb.answering.kinds.document.sections import sections_of
from kb.answering.kinds.document.shape import shape_of
from kb.answering.kinds.engine import route_of, writer_on
from kb.answering.kinds.kind import Asked, Resources
from kb.answering.kinds.refusing import refused
from kb.answering.sources.freshness import FreshPassages
from kb.answering.understanding.followup import self_contained
from kb.text.languages import asked_in
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, PassagesFound
from kb.values.documents import DocumentInfo
from kb.values.filters import Filters
from kb.values.passages import Passage

_SEARCHED = 10  # passages, to find which document is meant


class DocumentKind:
    """Adapter of `kb.answering.kinds.kind.Kind`."""

    def events(self, asked: Asked, resources: Resources) -> Generator[AnswerEvent, None, None] | None:
        """See `Kind`. Where several documents may be meant, it asks back."""
        question = self_contained(asked.question, asked.history, asked.decide)

        def find(filters: Filters) -> Sequence[Passage]:
            return asked.live_index.passages(question, _SEARCHED, filters)

        documents = documents_meant(question, asked.filters, resources.catalog, find)
        if not documents:
            return None
        if len(documents) > 1:
            return _asking_back(asked, documents)
        named = Filters(document_ids=(documents[0].id,))
        found = FreshPassages(
            lambda k: asked.live_index.passages(question, k, named), resources.catalog.document, resources.files
        )
        return found.declared(_summary(question, asked, resources, documents[0].id, found))


def _asking_back(asked: Asked, documents: Sequence[DocumentInfo]) -> Generator[AnswerEvent, None, None]:
    clock = QuestionClock()
    yield PassagesFound(())
    text = choices_text(asked.question, documents)
    yield AnswerDelta(text)
    answer = Answer(answer=text, finish_reason="choices", timings=clock.timings(), index=asked.index)
    yield Done(replace(answer, kind="document", documents=tuple(documents)))


def _summary(
    question: str, asked: Asked, resources: Resources, document_id: str, found: FreshPassages
) -> Generator[AnswerEvent, None, None]:
    clock = QuestionClock()
    passages = found.find(asked.top_k)
    clock.mark("retrieve_ms")
    route, admitted = route_of(passages, resources)
    yield PassagesFound(admitted)
    chunks = resources.catalog.chunks.of_document(document_id)
    document = resources.catalog.document(document_id)
    answer = Answer(passages=admitted, index=asked.index, kind="document")
    if document is None or not chunks or not admitted:
        yield from refused(
            asked.question, answer, clock, "stale" if found.stale else "local_only" if passages else "empty"
        )
        return
    part = part_meant(question, document, chunks)
    shape = shape_of(asked.question, asked.decision.form, f"{document.title}\n{document.file.source}\n{part.name}")
    writer = yield from writer_on(route, asked, resources)
    serving = asked.live_index.serving
    reader = Reader(resources.catalog, writer, serving.space.key, resources.finders.of(serving).found)
    points = yield from reader.summary(part.chunks, shape, asked_in(asked.question))
    clock.mark("first_answer_ms")
    assembly = Assembly()
    yield from laid_out(points, shape.style, asked.question, assembly)
    sections = len(sections_of(part.chunks, at_least=shape.least_sections))
    yield from assembly.say(f"\n\n{read_text(asked.question, document, part.name, sections)}")
    done = Done(
        replace(
            answer,
            answer=assembly.text,
            citations=tuple(assembly.citations),
            answerable=bool(points),
            model=writer.model.info.name,
            finish_reason="stop",
            timings=clock.timings(),
            evidence=1.0,
            documents=(document,),
        )
    )
    yield from route.declared(each for each in (done,))

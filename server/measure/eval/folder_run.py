"""Measures the user's own documents: are sections and sentences found again by what stands in them?

The index is used as it is; nothing is read into it. Questions are made of the files, because the index does not hand
out where sections are; and the data directory is opened here, not asked over HTTP, for the same reason.
"""

import hashlib
from collections.abc import Sequence

from ingest.settings import IngestSettings
from kb.errors import DataDirectoryLocked, InvalidRequest
from kb.knowledge_base import KnowledgeBase
from kb.values.passages import Passage
from kb.wiring import open_knowledge_base
from server.client.connection import check_unowned
from server.measure.eval.distractors import describe_options
from server.measure.eval.folder_set import Probe, make_probes
from server.measure.eval.measuring import Case, Ranks, measure
from server.measure.eval.originals import read_again
from server.measure.eval.questions import Question, spread_out
from server.measure.eval.ranking import points_into, rank_of_span
from server.measure.eval.runs import QuestionSet, Result, result_of
from server.terminal.loading import show_loading


def evaluate_folder(settings: IngestSettings, *, limit: int, answers: bool) -> Result:
    """Makes questions of the indexed documents, and asks them.

    Args:
        limit: How many questions at most; no more documents than that are read for them.
        answers: Whether answers are made and measured, too.

    Raises:
        DataDirectoryLocked: A server, or another command, has the data directory open.
        InvalidRequest: Nothing is indexed, or nothing in it makes a question.
        ModelError: A model is missing or does not load.
    """
    try:
        check_unowned(settings.home)
    except DataDirectoryLocked as error:
        hint = "stop it, run this command, and start it again: the index is measured by the process that has it open"
        raise DataDirectoryLocked(error.message, hint) from error
    with open_knowledge_base(settings) as knowledge_base:
        documents = knowledge_base.documents()
        if not documents:
            raise InvalidRequest("nothing is indexed yet", "`kb serve FOLDER` indexes a folder; `kb status` shows it")
        show_loading(knowledge_base, answers)
        sample = spread_out(documents, limit)
        readable = [(info.id, document) for info, document in read_again(knowledge_base, sample, settings)]
        probes = make_probes(readable, limit)
        if not probes:
            raise InvalidRequest(
                f"no question can be made of {len(readable)} documents",
                "they have neither headings over a text nor sentences of some length; `kb sync` if files have changed",
            )
        measured = measure(knowledge_base, [_case(probe) for probe in probes], answers=answers)
        tested = QuestionSet(
            command="folder",
            name=str(settings.home),
            sha256=_fingerprint(knowledge_base, probes),
            options=", ".join(describe_options(limit, ())),
            documents=len(documents),
            paragraphs=0,
            questions=len(probes),
        )
        passed_over = len(sample) - len(readable)
        notes = (
            [f"{passed_over} files were passed over: gone, or changed since they were indexed"] if passed_over else []
        )
        return result_of(knowledge_base, tested, measured, answering=answers, notes=notes)


def _case(probe: Probe) -> Case:
    def rank(passages: Sequence[Passage]) -> Ranks:
        return {probe.kind: rank_of_span(passages, [probe.gold])}

    question = Question(f"{probe.gold.document_id}:{probe.gold.start}-{probe.gold.end}", probe.text)
    return Case(question, rank, lambda citation: points_into(citation, [probe.gold]))


def _fingerprint(knowledge_base: KnowledgeBase, probes: Sequence[Probe]) -> str:
    """A hash over what is asked and where it stands; documents by their files, as ids change with each index."""
    sources = {document.id: document.file.source for document in knowledge_base.documents()}
    lines = [f"{sources[probe.gold.document_id]}:{probe.gold.start}:{probe.text}" for probe in probes]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()

"""Measures a set in SQuAD format: each article a Markdown document, its questions asked of all of them together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.settings import IngestSettings
from kb.knowledge_base import KnowledgeBase
from kb.values.passages import Passage
from server.measure.eval.corpus import (
    article_files,
    documents_by_path,
    indexed,
    locate_article,
    workplace,
    write_articles,
)
from server.measure.eval.declining import measure_declining
from server.measure.eval.distractors import describe_options, read_distractors, set_name
from server.measure.eval.files import sha256
from server.measure.eval.gaps import gapped_sets
from server.measure.eval.measuring import PARAGRAPH, Case, Ranks, measure
from server.measure.eval.questions import spread_out
from server.measure.eval.ranking import Paragraph, Paragraphs, first_rank, points_into, ranked_paragraphs
from server.measure.eval.runs import QuestionSet, Result, result_of
from server.measure.eval.squad import Article, Asked, SquadSet, exchange_questions, read_squad, same_paragraphs


@dataclass(frozen=True, slots=True)
class SquadOptions:
    """What is measured.

    Attributes:
        file: The test set.
        questions_from: Another one, whose questions are asked in the place of those with the same ids.
        beside: Folders and further sets that are put into the same base.
        limit: How many questions are asked at most; None: all.
        answers: Whether answers are made and measured, too.
        base: A folder in which the base is kept; None: it is removed.
    """

    file: Path
    questions_from: Path | None = None
    beside: tuple[Path, ...] = ()
    limit: int | None = None
    answers: bool = False
    base: Path | None = None


def evaluate_squad(settings: IngestSettings, options: SquadOptions) -> Result:
    """Makes the base, asks the questions, and removes it.

    Raises:
        InvalidRequest: A file is not there, or not in the format.
        KBError: The base cannot be made.
    """
    squad = read_squad(options.file)
    if options.questions_from:
        squad = exchange_questions(squad, read_squad(options.questions_from))
    beside = read_distractors(options.beside)
    articles = {set_name(0, options.file): squad.articles, **beside.sets}
    with workplace(options.base) as place:
        written = write_articles(place, articles)
        with indexed(settings, place, [written, *beside.folders], answering=options.answers) as knowledge_base:
            located = _Located(knowledge_base, written, articles)
            measured = measure(knowledge_base, _cases(squad, located, options.limit), answers=options.answers)
            tested = QuestionSet(
                command="squad",
                name=options.file.name,
                sha256=sha256(*filter(None, [options.file, options.questions_from])),
                options=_describe(options),
                documents=knowledge_base.counts()[0],
                paragraphs=len({key for (i, _), key in located.keys.items() if i < len(squad.articles)}),
                questions=len(measured.outcomes),
            )
            notes = [f"paragraphs that could not be indexed: {located.missing}"] if located.missing else []
            result = result_of(knowledge_base, tested, measured, answering=options.answers, notes=notes)
        if not options.answers:
            return result
        first = set_name(0, options.file)
        declining = []
        for gapped in gapped_sets(squad.articles, squad.asked):
            write_articles(place, {**articles, first: gapped.articles})
            with indexed(settings, place, [written, *beside.folders], answering=True) as knowledge_base:
                questions = [asked.question for asked in spread_out(gapped.asked, options.limit)]
                declining.append(measure_declining(knowledge_base, gapped.name, questions))
        return result.with_declining(declining)


class _Located:
    """The paragraphs of all sets where they stand in the documents.

    Attributes:
        paragraphs: Those that are indexed.
        keys: Of all paragraphs, by the numbers of article and paragraph; those of the first set come first.
        missing: How many are not indexed; questions to them are misses.
    """

    def __init__(self, knowledge_base: KnowledgeBase, written: Path, sets: Mapping[str, Sequence[Article]]) -> None:
        articles = article_files(written, sets)
        documents = documents_by_path(knowledge_base)
        self.keys = same_paragraphs(list(articles.values()))
        self.paragraphs = Paragraphs(
            Paragraph(self.keys[i, k], span)
            for i, (path, article) in enumerate(articles.items())
            for k, span in enumerate(locate_article(knowledge_base, documents.get(path), article))
            if span
        )
        self.missing = len(self.keys) - len(self.paragraphs)


def _cases(squad: SquadSet, located: _Located, limit: int | None) -> list[Case]:
    return [_case(asked, located) for asked in spread_out(squad.asked, limit)]


def _case(asked: Asked, located: _Located) -> Case:
    key = located.keys[asked.place]
    spans = located.paragraphs.spans(key)

    def rank(passages: Sequence[Passage]) -> Ranks:
        return {PARAGRAPH: first_rank(ranked_paragraphs(passages, located.paragraphs), lambda found: found == key)}

    return Case(asked.question, rank, lambda citation: points_into(citation, spans))


def _describe(options: SquadOptions) -> str:
    parts = [f"questions from {options.questions_from.name}"] if options.questions_from else []
    return ", ".join([*parts, *describe_options(options.limit, options.beside)])

"""Measures questions about the files of a folder: is the right file found, and the right page?

Files are ranked by the first passage that comes from them; pages (of a file) by the first part that stands on them, in
the order of `server.measure.eval.ranking`. Where the table gives answers, the pages are looked for, too, on which the
numbers of the answer stand: of each right file those that hold the most of them. Numbers of one digit, of the question
and of the names of the files tell nothing, and are left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.folders.listing import list_files
from ingest.settings import IngestSettings
from kb.errors import InvalidRequest
from kb.knowledge_base import KnowledgeBase
from kb.text.terms import numbers
from kb.values.documents import Document, DocumentInfo
from kb.values.passages import Passage
from server.measure.eval.corpus import documents_by_path, indexed, workplace, write_articles
from server.measure.eval.distractors import describe_options, read_distractors
from server.measure.eval.files import sha256
from server.measure.eval.measuring import Case, Ranks, measure
from server.measure.eval.originals import read_again
from server.measure.eval.pdf_set import Row, read_rows
from server.measure.eval.questions import Question, spread_out
from server.measure.eval.ranking import first_rank, ranked_parts
from server.measure.eval.runs import QuestionSet, Result, result_of

Page = tuple[str, int]
"""Id of a document, and a page of it."""


@dataclass(frozen=True, slots=True)
class PdfOptions:
    """What is measured.

    Attributes:
        folder: Holds the files.
        questions: A table; see `server.measure.eval.pdf_set.read_rows`.
        single: Whether only those questions are asked whose patterns match one file.
        beside: Folders and sets in SQuAD format that are put into the same base.
        limit: How many questions are asked at most; None: all.
        answers: Whether answers are made and measured, too.
        base: A folder in which the base is kept; None: it is removed.
    """

    folder: Path
    questions: Path
    single: bool = False
    beside: tuple[Path, ...] = ()
    limit: int | None = None
    answers: bool = False
    base: Path | None = None


def evaluate_pdf(settings: IngestSettings, options: PdfOptions) -> Result:
    """Makes the base, asks the questions, and removes it.

    Raises:
        InvalidRequest: The folder holds no PDF, or the table cannot be used, or asks about none of the files.
        KBError: The base cannot be made.
    """
    rows = read_rows(options.questions)
    folder = options.folder.resolve()
    expected = _expected(rows, _sources(folder), options)
    asked = spread_out(list(expected), options.limit)
    beside = read_distractors(options.beside)
    with workplace(options.base) as place:
        folders = [folder, *beside.folders, *([write_articles(place, beside.sets)] if beside.sets else [])]
        with indexed(settings, place, folders, answering=options.answers) as knowledge_base:
            cases = _cases(knowledge_base, settings, folder, asked, expected)
            measured = measure(knowledge_base, cases, answers=options.answers)
            tested = QuestionSet(
                command="pdf",
                name=options.questions.name,
                sha256=sha256(options.questions),
                options=_describe(options),
                documents=knowledge_base.counts()[0],
                paragraphs=0,
                questions=len(cases),
            )
            notes = [f"{len(rows) - len(expected)} of {len(rows)} rows are left out: {_left_out(options)}"]
            failed = knowledge_base.index_state().failed
            notes += [f"files that could not be indexed: {failed}"] if failed else []
            return result_of(knowledge_base, tested, measured, answering=options.answers, notes=notes)


def _sources(folder: Path) -> list[str]:
    """The files of a folder that can be read, as paths below it."""
    try:
        sources = [file.source for file in list_files(folder).files]
    except OSError as error:
        raise InvalidRequest(f"{folder} cannot be read: {error.strerror}", "name the folder of the PDFs") from error
    if not any(source.lower().endswith(".pdf") for source in sources):
        raise InvalidRequest(f"{folder} holds no PDF", "name the folder of the PDFs that the questions are about")
    return sources


def _expected(rows: Sequence[Row], sources: Sequence[str], options: PdfOptions) -> dict[Row, list[str]]:
    """The rows that can be asked, each with its files."""
    matched = {row: row.matches(sources) for row in rows}
    usable = {row: found for row, found in matched.items() if found and (len(found) == 1 or not options.single)}
    if not usable:
        raise InvalidRequest(
            f"no question of {options.questions} can be asked: {_left_out(options)}",
            f"patterns such as {rows[0].patterns[0]!r} are compared with the files' names, as {sources[0]!r}",
        )
    return usable


def _left_out(options: PdfOptions) -> str:
    reason = f"none of their files is in {options.folder}"
    return f"{reason}, or several are" if options.single else reason


def _cases(
    knowledge_base: KnowledgeBase,
    settings: IngestSettings,
    folder: Path,
    rows: Sequence[Row],
    expected: Mapping[Row, Sequence[str]],
) -> list[Case]:
    documents = documents_by_path(knowledge_base)
    of_row = {row: [documents[folder / name] for name in expected[row] if folder / name in documents] for row in rows}
    with_answers = {info.id: info for row, infos in of_row.items() if row.answer for info in infos}
    again = read_again(knowledge_base, [*with_answers.values()], settings)
    pages = {info.id: _numbers_of_pages(document) for info, document in again}
    return [_case(row, infos, pages) for row, infos in of_row.items()]


def _case(row: Row, right: Sequence[DocumentInfo], numbers_of: Mapping[str, Mapping[int, set[str]]]) -> Case:
    ids = {info.id for info in right}
    named = {(document_id, page) for document_id in ids for page in row.pages}
    telling = _telling_numbers(row, right)
    numbered = {(info.id, page) for info in right for page in _best_pages(telling, numbers_of.get(info.id, {}))}

    def rank(passages: Sequence[Passage]) -> Ranks:
        sources = [passage.document_id for passage in passages]
        pages = list(dict.fromkeys((part.span.document_id, part.page) for part in ranked_parts(passages)))
        ranks = {
            "file": first_rank(dict.fromkeys(sources), ids.__contains__),
            "passage": first_rank(sources, ids.__contains__),
        }
        for name, right_pages in (("page", named), ("page with numbers", numbered)):
            if right_pages:
                ranks[name] = first_rank(pages, right_pages.__contains__)
        return ranks

    answers = (row.answer,) if row.answer else ()
    question = Question(str(row.number), row.question, answers)
    return Case(question, rank, lambda citation: citation.document_id in ids)


def _telling_numbers(row: Row, right: Sequence[DocumentInfo]) -> set[str]:
    known = numbers(" ".join([row.question, *row.patterns, *(info.file.source for info in right)]))
    return {number for number in numbers(row.answer) - known if len(number) > 1}


def _numbers_of_pages(document: Document) -> dict[int, set[str]]:
    found: dict[int, set[str]] = {}
    for block in document.blocks:
        if block.page is not None:
            found.setdefault(block.page, set()).update(numbers(document.text[block.start : block.end]))
    return found


def _best_pages(telling: set[str], numbers_of_pages: Mapping[int, set[str]]) -> list[int]:
    held = {page: len(telling & found) for page, found in numbers_of_pages.items()}
    most = max(held.values(), default=0)
    return [page for page, count in held.items() if count == most > 0]


def _describe(options: PdfOptions) -> str:
    parts = ["single"] if options.single else []
    return ", ".join([*parts, *describe_options(options.limit, options.beside)])

"""`kb eval`: measures how well passages are found and questions answered, on test sets and on the user's documents.

Errors pass through: the command line as a whole turns a `KBError` into a message and an exit code.
"""

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb import settings
from server.settings import ServerSettings
from server.terminal import console

if TYPE_CHECKING:
    from server.measure.eval.runs import Result

app = typer.Typer(help="Measure how well passages are found and questions answered.", no_args_is_help=True)

Limit = Annotated[
    int | None, typer.Option(min=1, help="Ask no more than so many questions, from all parts of the set.")
]
Answers = Annotated[bool, typer.Option("--answers", help="Have questions answered, too; takes seconds for each.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, with each question.")]
Base = Annotated[
    Path | None, typer.Option(help="Keep the knowledge base in this folder, so that the next run is quick.")
]
Beside = Annotated[list[Path] | None, typer.Option(help="Folder or SQuAD file to search as well; may be repeated.")]


AnswersAndGaps = Annotated[
    bool,
    typer.Option(
        "--answers",
        help="Have questions answered, too, and then those whose article or paragraph was taken out, which should be "
        "declined; takes seconds for each.",
    ),
]


@app.command()
def squad(
    file: Annotated[Path, typer.Argument(help="Test set in SQuAD format, version 1 or 2.")],
    limit: Limit = None,
    answers: AnswersAndGaps = False,
    questions_from: Annotated[
        Path | None, typer.Option(help="Ask the questions of this set instead, matched by their ids.")
    ] = None,
    beside: Beside = None,
    base: Base = None,
    as_json: AsJson = False,
) -> None:
    """Indexes a test set and asks its questions: is the paragraph among the first that are found?

    Examples:

    kb eval squad dev-v2.0.json --limit 200 --answers

    kb eval squad xquad.en.json --questions-from xquad.zh.json --beside ~/papers --base ~/eval-base
    """
    from server.measure.eval.squad_run import SquadOptions, evaluate_squad

    options = SquadOptions(file, questions_from, tuple(beside or ()), limit, answers, base)
    current = settings.load(kind=ServerSettings)
    _finish(evaluate_squad(current, options), current.home, as_json)


@app.command()
def folder(
    limit: Annotated[int, typer.Option(min=1, help="Ask no more than so many questions.")] = 200,
    answers: Answers = False,
    as_json: AsJson = False,
) -> None:
    """Makes questions of your own indexed documents and asks them: is the section found, is the sentence?

    Half of them are headings, half are sentences less some of their words. Needs the data directory for itself: stop
    `kb serve` first.

    Examples:

    kb eval folder

    kb eval folder --limit 40 --answers
    """
    from server.measure.eval.folder_run import evaluate_folder

    current = settings.load(kind=ServerSettings)
    _finish(evaluate_folder(current, limit=limit, answers=answers), current.home, as_json)


@app.command()
def pdf(
    folder: Annotated[Path, typer.Argument(help="Folder with the PDFs.")],
    questions: Annotated[Path, typer.Argument(help="CSV or JSON Lines: question, file, and if known page and answer.")],
    single: Annotated[bool, typer.Option("--single", help="Only questions whose pattern matches one file.")] = False,
    limit: Limit = None,
    answers: Answers = False,
    beside: Beside = None,
    base: Base = None,
    as_json: AsJson = False,
) -> None:
    """Indexes PDFs and asks questions about them: is the right file found, and the right page?

    Files may be given by patterns, such as *2023 Q3*; if several match, any of them counts.

    Examples:

    kb eval pdf ~/reports questions.csv

    kb eval pdf ~/reports questions.jsonl --single --base ~/eval-base
    """
    from server.measure.eval.pdf_run import PdfOptions, evaluate_pdf

    options = PdfOptions(folder, questions, single, tuple(beside or ()), limit, answers, base)
    current = settings.load(kind=ServerSettings)
    _finish(evaluate_pdf(current, options), current.home, as_json)


@app.command()
def poison(
    limit: Limit = None,
    by_hand: Annotated[
        bool, typer.Option("--by-hand", help="Asks thirty that were written by hand, in English and Chinese.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Asks made-up notes that try to give the model orders: does it obey them, does it answer nevertheless?

    Examples:

    kb eval poison

    kb eval poison --by-hand

    kb eval poison --limit 10 --json
    """
    from server.measure.eval.poison import evaluate_poison

    current = settings.load(kind=ServerSettings)
    _finish(evaluate_poison(current, limit, by_hand=by_hand), current.home, as_json)


@app.command()
def judge(
    file: Annotated[
        Path | None, typer.Argument(help="Labelled statements in JSON Lines; none: those that ship.")
    ] = None,
    limit: Limit = None,
    as_json: AsJson = False,
) -> None:
    """Measures how well the answering model tells what sources bear out from what they do not.

    Each line of a file has `passages`, `statement`, `label`, and if known `question`, `language`, `kind`; or `passage`,
    `question`, `right`, `wrong` (a list), `true`, `false`, `kind`.

    Examples:

    kb eval judge

    kb eval judge statements.jsonl --limit 100 --json
    """
    from server.measure.eval.judge_run import evaluate_judge, show_report

    report = evaluate_judge(settings.load(kind=ServerSettings), file, limit)
    if as_json:
        print(_as_json(dataclasses.asdict(report)))
    else:
        show_report(console.out, report)


@app.command()
def kinds(
    file: Annotated[
        Path | None, typer.Argument(help="Labelled questions in JSON Lines; none: those that ship.")
    ] = None,
    folder: Annotated[
        Path | None, typer.Option(help="Index this folder, ask it the questions, and measure the answers.")
    ] = None,
    split: Annotated[
        str, typer.Option(help="Which of those that ship: fit, held, unseen, fresh, computed, stated or listed.")
    ] = "held",
    limit: Limit = None,
    base: Base = None,
    as_json: AsJson = False,
) -> None:
    """Measures how well the embedding of a question tells what it is: kind, form of the answer, leaning, parts.

    Each line of a file has `question`, and if known `language`, `before` (a list), `leans`, `several`, `kind`, `form`.
    With a folder: whether each question is answered as the kind that it is, and whether the answer is right; each line
    has `question`, `kind`, and if known `values`, `documents`, `items`, `scope`. The set that ships for that is about
    `sample_docs`.

    Examples:

    kb eval kinds

    kb eval kinds questions.jsonl --json

    kb eval kinds --folder sample_docs
    """
    from server.measure.eval.kind_answers_run import evaluate_kind_answers, show_kind_answers
    from server.measure.eval.kinds_run import evaluate_kinds, show_report

    if folder:
        answered = evaluate_kind_answers(settings.load(kind=ServerSettings), folder, file, limit, base)
        if as_json:
            print(_as_json(dataclasses.asdict(answered)))
        else:
            show_kind_answers(console.out, answered)
        return
    report = evaluate_kinds(settings.load(kind=ServerSettings), file, split, limit)
    if as_json:
        print(_as_json(dataclasses.asdict(report)))
    else:
        show_report(console.out, report)


@app.command("history")
def show_runs(as_json: AsJson = False) -> None:
    """Lists all runs so far, oldest first.

    Example: kb eval history
    """
    from server.measure.eval.history import History
    from server.measure.eval.report import show_history

    runs = History(settings.load(kind=ServerSettings).home).runs()
    if as_json:
        print(_as_json([dataclasses.asdict(run) for run in runs]))
    else:
        show_history(console.out, runs)


def _finish(result: "Result", home: Path, as_json: bool) -> None:
    """Shows a run and notes it; in this order, so that a full disk takes nothing away."""
    from server.measure.eval.history import History
    from server.measure.eval.report import show_result

    history = History(home)
    previous = history.previous(result.run)
    if as_json:
        before = dataclasses.asdict(previous) if previous else None
        print(_as_json({**dataclasses.asdict(result), "previous": before}))
    else:
        show_result(console.out, result, previous)
    history.add(result.run)


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2)

"""The commands that answer: `kb ask`, `kb chat`, `kb search` and `kb verify`."""

import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, get_args

import typer

from kb.errors import InvalidRequest, KBError
from kb.values.answers import AskOptions, Effort, QuestionKind, Thinking
from server.cli.arguments import (
    AsJson,
    AsKind,
    HowLong,
    HowMuch,
    Narrowing,
    Question,
    ShowReasoning,
    TopK,
    as_text,
    connected,
)
from server.cli.options import spread
from server.http import schemas
from server.terminal import console
from server.terminal.answers import AnswerView, show_passages, show_verification
from server.terminal.cleaning import printable_json


@spread
def ask(
    question: Question,
    narrowing: Narrowing,
    thinking: HowLong = None,
    top_k: TopK = None,
    kind: AsKind = None,
    effort: HowMuch = None,
    show_reasoning: ShowReasoning = False,
    as_json: AsJson = False,
) -> None:
    """Answers a question from the indexed documents, with sources.

    Examples:

    kb ask "When was the second dome repaired?"

    kb ask --json "第二座圆顶是什么时候修好的？" | jq .citations

    kb ask "What did we decide about the dome?" --in minutes/ --tag observatory --since 2024-01-01
    """
    answer: schemas.Answer | None = None
    with closing(AnswerView(show_reasoning)) as view, connected() as service:
        options = AskOptions(
            thinking=_thinking(thinking),
            top_k=top_k,
            filters=narrowing.filters(service),
            kind=_kind(kind),
            effort=_effort(effort),
        )
        for body in service.ask(question, (), options):
            if not as_json:
                view.show(body)
            if isinstance(body, schemas.Answer):
                answer = body
    if answer is None:
        raise KBError("the answer was cut off", "ask again")
    if as_json:
        print(printable_json(answer.model_dump_json(indent=2)))
    if not answer.answerable:
        raise typer.Exit(3)


@spread
def chat(
    narrowing: Narrowing,
    thinking: HowLong = None,
    top_k: TopK = None,
    effort: HowMuch = None,
    show_reasoning: ShowReasoning = False,
    goes_on: Annotated[bool, typer.Option("--continue", "-c", help="Go on with the latest conversation.")] = False,
) -> None:
    """Answers one question after the other; each may build on those before it. `/help` lists what else can be typed.

    Examples:

    kb chat

    kb chat --in minutes/ --since 2024-01-01

    kb chat --continue

    kb chat < questions.txt
    """
    from server.cli.chat import chat as converse
    from server.cli.keeping import Keeping

    chosen, much = _thinking(thinking), _effort(effort)
    with connected() as service:
        options = AskOptions(thinking=chosen, top_k=top_k, filters=narrowing.filters(service), effort=much)
        converse(
            lambda question, history: service.ask(question, history, options),
            prepare=lambda question, history: service.prepare(question, history, options),
            show_reasoning=show_reasoning,
            min_evidence=service.status().min_evidence,
            keeping=Keeping(service, goes_on=goes_on),
        )


@spread
def search(
    query: Question,
    narrowing: Narrowing,
    top_k: TopK = None,
    as_json: AsJson = False,
) -> None:
    """Finds passages without answering.

    Examples:

    kb search "battery charging temperature" --top-k 3

    kb search "battery charging temperature" --type pdf
    """
    with connected() as service:
        filters = narrowing.filters(service)
        found = service.search(query, top_k, filters)
    if as_json:
        print(printable_json(found.model_dump_json(indent=2)))
    else:
        show_passages(found.passages)
    if not found.passages:
        console.err.print("[dim]nothing is found within the filters[/]" if filters else "[dim]nothing is found[/]")
        raise typer.Exit(3)


@spread
def verify(
    file: Annotated[str, typer.Argument(help="A text in UTF-8; - reads what is piped in.", callback=as_text)],
    narrowing: Narrowing,
    question: Annotated[str, typer.Option(help="What the text answers.", callback=as_text)] = "",
    as_json: AsJson = False,
) -> None:
    """Checks a text by anybody, statement by statement, against the indexed documents.

    Examples:

    kb verify draft.md

    kb verify answer.txt --question "When was the second dome repaired?"

    pbpaste | kb verify - --json
    """
    text = _text(file)
    with connected() as service:
        *_, found = service.verify(text, question, filters=narrowing.filters(service))
    assert isinstance(found, schemas.Verification), "it comes last"
    if as_json:
        print(printable_json(found.model_dump_json(indent=2)))
    else:
        show_verification(text, found)
    if not all(statement.verdict == "supported" for statement in found.statements):
        raise typer.Exit(3)


def _text(file: str) -> str:
    try:
        data = sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
        return data.decode("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequest(f"{file} cannot be read: {error}", "give a text file in UTF-8") from error


def _thinking(value: str | None) -> Thinking | None:
    match value:
        case None | "auto" | "off" | "short" | "full":
            return value
        case _:
            raise InvalidRequest(f"--thinking {value!r} is unknown", "use auto, off, short or full")


def _effort(value: str | None) -> Effort | None:
    match value:
        case None | "auto" | "quick" | "thorough":
            return value
        case _:
            raise InvalidRequest(f"--effort {value!r} is unknown", "use auto, quick or thorough")


def _kind(value: str | None) -> QuestionKind | None:
    match value:
        case None | "lookup" | "parts" | "document" | "exhaustive" | "inventory":
            return value
        case _:
            raise InvalidRequest(
                f"--kind {value!r} is unknown", f"use one of {', '.join(get_args(QuestionKind))}, or leave it out"
            )

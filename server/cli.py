"""The command `kb`: what each subcommand takes, and which exit code an error becomes.

With a running server the commands talk to it; without one they open the data directory themselves.
"""

import importlib.metadata
import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.logging import RichHandler

from kb.answers import Thinking
from kb.errors import DataDirectoryLocked, InvalidRequest, KBError, ModelError, SettingsError
from kb.settings import load
from server import bench_cli, eval_cli, models_cli, schemas, terminal
from server.arguments import (
    AsJson,
    Documents,
    Folders,
    HowLong,
    Question,
    ShowReasoning,
    Since,
    Tags,
    TopK,
    Types,
    Until,
    as_texts,
    make_filters,
)
from server.naming import find_document
from server.status_view import show_status
from server.work_view import work_progress

if TYPE_CHECKING:
    from server.service import Service

EXIT_CODES = """
Exit codes: 0 done · 1 failed · 2 wrong use · 3 the documents hold no answer · 4 a model is missing or broken ·
5 another process has the data directory open.
"""

app = typer.Typer(
    help="Ask your own documents; get answers that cite the exact place.",
    epilog=EXIT_CODES,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)
app.add_typer(models_cli.app, name="models")
app.add_typer(eval_cli.app, name="eval")
app.add_typer(bench_cli.app, name="bench")


def main() -> None:
    """Runs the command line; errors of the core become a message and an exit code."""
    try:
        app()
    except KBError as error:
        terminal.show_error(error)
        sys.exit(exit_code(error))
    except KeyboardInterrupt:
        sys.exit(130)


def exit_code(error: KBError) -> int:
    """The exit code that an error becomes."""
    if isinstance(error, InvalidRequest | SettingsError):
        return 2
    if isinstance(error, ModelError):
        return 4
    return 5 if isinstance(error, DataDirectoryLocked) else 1


def _show_version(wanted: bool) -> None:
    if wanted:
        terminal.out.print(importlib.metadata.version("r1-kb"))
        raise typer.Exit


@app.callback()
def _options(
    home: Annotated[Path | None, typer.Option(help="Data directory, instead of KB_HOME.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say more on standard error.")] = False,
    _: Annotated[
        bool, typer.Option("--version", help="Print the version.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    if home is not None:
        os.environ["KB_HOME"] = str(home)
    _set_up_log(logging.INFO if verbose else logging.ERROR)


@app.command()
def serve(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders to watch; none: those of the last time.")
    ] = None,
    host: Annotated[str | None, typer.Option(help="Address to listen on; any but loopback needs KB_TOKEN.")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on; 0 takes a free one.")] = None,
    model: Annotated[str | None, typer.Option(help="Answering model, by name or path.")] = None,
) -> None:
    """Watches folders, and serves page and API.

    Examples:

    kb serve ~/papers ~/notes

    kb serve ~/papers --port 9000 --model deepseek-r1-distill-qwen-7b
    """
    from server.connection import check_unowned

    settings = load(host=host, port=port, model=model)
    check_unowned(settings.home)
    from server.serving import serve_until_stopped

    _set_up_log(logging.INFO)
    serve_until_stopped(settings, folders or [])


@app.command()
def ask(
    question: Question,
    thinking: HowLong = None,
    top_k: TopK = None,
    folders: Folders = None,
    types: Types = None,
    tags: Tags = None,
    documents: Documents = None,
    since: Since = None,
    until: Until = None,
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
    with closing(terminal.AnswerView(show_reasoning)) as view, _connected() as service:
        filters = make_filters(service, folders, types, tags, documents, since, until)
        for body in service.ask(question, _thinking(thinking), top_k, filters):
            if not as_json:
                view.show(body)
            if isinstance(body, schemas.Answer):
                answer = body
    if answer is None:
        raise KBError("the answer was cut off", "ask again")
    if as_json:
        print(answer.model_dump_json(indent=2))
    if not answer.answerable:
        raise typer.Exit(3)


@app.command()
def chat(
    thinking: HowLong = None,
    top_k: TopK = None,
    folders: Folders = None,
    types: Types = None,
    tags: Tags = None,
    documents: Documents = None,
    since: Since = None,
    until: Until = None,
    show_reasoning: ShowReasoning = False,
) -> None:
    """Answers one question after the other; each may build on those before it. `/help` lists what else can be typed.

    Examples:

    kb chat

    kb chat --in minutes/ --since 2024-01-01

    kb chat < questions.txt
    """
    from server.chat import chat as converse

    chosen = _thinking(thinking)
    with _connected() as service:
        filters = make_filters(service, folders, types, tags, documents, since, until)
        converse(
            lambda question, history: service.ask(question, chosen, top_k, filters, history),
            show_reasoning=show_reasoning,
            min_evidence=service.status().min_evidence,
        )


@app.command()
def search(
    query: Question,
    top_k: TopK = None,
    folders: Folders = None,
    types: Types = None,
    tags: Tags = None,
    documents: Documents = None,
    since: Since = None,
    until: Until = None,
    as_json: AsJson = False,
) -> None:
    """Finds passages without answering.

    Examples:

    kb search "battery charging temperature" --top-k 3

    kb search "battery charging temperature" --type pdf
    """
    with _connected() as service:
        filters = make_filters(service, folders, types, tags, documents, since, until)
        found = service.search(query, top_k, filters)
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        terminal.show_passages(found.passages)
    if not found.passages:
        terminal.err.print("[dim]nothing is found within the filters[/]" if filters else "[dim]nothing is found[/]")
        raise typer.Exit(3)


@app.command()
def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with all that can be read in them.")],
) -> None:
    """Copies files into the watched folder, and waits until they are indexed.

    Example: kb add ~/Downloads/report.pdf
    """
    with _connected() as service:
        for path in chain.from_iterable(map(_files, paths)):
            for uploaded in service.add(path).uploaded:
                terminal.out.print(f"{path} → {uploaded.root}/{uploaded.source}", markup=False)
        with work_progress(terminal.err) as watch:
            result = service.sync(watch)
    terminal.show_sync(result)


@app.command()
def sync(
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that failed, though unchanged.")] = False,
) -> None:
    """Brings the index up to date with the folders, and waits for it.

    Examples:

    kb sync

    kb sync --retry
    """
    with _connected() as service, work_progress(terminal.err) as watch:
        result = service.sync(watch, retry=retry)
    terminal.show_sync(result)


@app.command()
def forget(
    documents: Annotated[
        list[str], typer.Argument(help="Paths on disk or below a watched folder, or ids.", callback=as_texts)
    ],
) -> None:
    """Takes documents out of the index and wipes their text from the data directory; the files stay as they are.

    Examples:

    kb forget ~/papers/old-contract.pdf

    kb forget 2019/old-contract.pdf 2019/older-contract.pdf
    """
    with _connected() as service:
        listed = service.documents()
        found = {document.id: document for document in (find_document(name, listed) for name in documents)}
        service.forget(list(found))
    terminal.show_forgotten(list(found.values()))


@app.command()
def reindex(
    embed: Annotated[bool, typer.Option("--embed", help="Compute all embeddings anew, too.")] = False,
    wait: Annotated[bool, typer.Option("--wait/--no-wait", help="Whether to wait until it is done.")] = True,
) -> None:
    """Reads every file anew and makes a new vector index; the old one answers until then.

    Never needed to keep the index right; for trying whether a new one helps.

    Examples:

    kb reindex

    kb reindex --embed --no-wait
    """
    with _connected() as service:
        if not wait:
            terminal.out.print(service.start_reindex(embed=embed).message, markup=False)
            return
        with work_progress(terminal.err) as watch:
            result = service.reindex(watch, embed=embed)
    terminal.show_sync(result)


@app.command()
def status(as_json: AsJson = False) -> None:
    """Shows models, folders, queue, and every file that could not be indexed, with the reason.

    Example: kb status --json | jq .failures
    """
    with _connected() as service:
        found = service.status()
    if as_json:
        print(found.model_dump_json(indent=2))
    else:
        show_status(terminal.out, found)


@app.command()
def doctor() -> None:
    """Looks for what could keep r1-kb from working, and says what to do about it.

    Example: kb doctor
    """
    from server.doctor import examine

    diagnoses = examine(load())
    terminal.show_diagnoses(diagnoses)
    if any(diagnosis.level == "bad" for diagnosis in diagnoses):
        raise typer.Exit(1)


def _files(path: Path) -> Sequence[Path]:
    """The files that a path stands for: itself, or those in a folder that can be read."""
    from ingest.folders import list_files

    try:
        if not path.is_dir():
            return [path]
        files = [path / file.source for file in list_files(path.absolute()).files]
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", "check who may read it") from error
    if not files:
        raise InvalidRequest(f"nothing in {path} can be read", "PDF, Markdown and plain text files can be added")
    return files


@contextmanager
def _connected() -> Iterator["Service"]:
    from server.connection import connect

    with connect(load(), terminal.show_loading) as service:
        yield service


def _thinking(value: str | None) -> Thinking | None:
    match value:
        case None | "auto" | "off" | "short" | "full":
            return value
        case _:
            raise InvalidRequest(f"--thinking {value!r} is unknown", "use auto, off, short or full")


def _set_up_log(level: int) -> None:
    handler = RichHandler(console=terminal.err, show_path=False, markup=False, highlighter=None)
    logging.basicConfig(level=logging.WARNING, format="%(message)s", datefmt="%H:%M:%S", handlers=[handler], force=True)
    for name in ("kb", "ingest", "server"):
        logging.getLogger(name).setLevel(level)

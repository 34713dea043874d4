"""The command `kb`: its subcommands, and which exit code an error becomes."""

import importlib.metadata
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from kb.errors import DataDirectoryLocked, InvalidRequest, KBError, ModelError, SettingsError
from kb.settings import load
from server.cli import bench as bench_cli
from server.cli import eval as eval_cli
from server.cli import models as models_cli
from server.cli import tokens as tokens_cli
from server.cli.agents import mcp
from server.cli.archives import backup, export, import_
from server.cli.documents import add, forget, reindex, status, sync
from server.cli.options import with_settings
from server.cli.questions import ask, chat, search, verify
from server.settings import ServerSettings
from server.terminal import console

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
app.add_typer(tokens_cli.app, name="token")
app.add_typer(eval_cli.app, name="eval")
app.add_typer(bench_cli.app, name="bench")


def main() -> None:
    """Runs the command line; errors of the core become a message and an exit code."""
    os.environ["PYTHONSAFEPATH"] = "1"  # a process that a library starts runs nothing of the working directory
    try:
        app()
    except KBError as error:
        console.show_error(error)
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
        console.out.print(importlib.metadata.version("r1-kb"))
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
@with_settings
def serve(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders to watch; none: those of the last time.")
    ] = None,
    **settings: Any,
) -> None:
    """Watches folders, and serves page and API. The token is set by KB_TOKEN or in kb.toml.

    Examples:

    kb serve ~/papers ~/notes

    kb serve ~/papers --port 9000 --model deepseek-r1-distill-qwen-7b
    """
    from server.client.connection import check_unowned

    chosen = load(kind=ServerSettings, **settings)
    check_unowned(chosen.home)
    from server.serving import serve_until_stopped
    from server.terminal.log_lines import set_up_json_log

    if chosen.log_format == "json":
        set_up_json_log()
    else:
        _set_up_log(logging.INFO)
    serve_until_stopped(chosen, folders or [])


for _command in (ask, chat, search, verify, add, sync, forget, reindex, status, export, backup, mcp):
    app.command()(_command)
app.command("import")(import_)


@app.command()
def calibrate() -> None:
    """Tries out the answering model as a judge of what sources bear out, and keeps what is found; takes minutes.

    `kb serve` does the same by itself when a model is new and nobody asks. Figures are of statements that the model was
    not fitted to; `kb eval judge` measures it on a set of your own.

    Example: kb calibrate
    """
    from kb.answering.engines.calibrations import Calibrations
    from server.measure.eval.judge_run import HELD_LOOKS, evaluate_judge, show_report

    settings = load(kind=ServerSettings)
    report = evaluate_judge(settings, None, HELD_LOOKS, Calibrations(settings.models).keep)
    show_report(console.out, report)


@app.command()
def doctor() -> None:
    """Looks for what could keep r1-kb from working, and says what to do about it.

    Example: kb doctor
    """
    from server.cli.doctor import examine

    diagnoses = examine(load(kind=ServerSettings))
    console.show_diagnoses(diagnoses)
    if any(diagnosis.level == "bad" for diagnosis in diagnoses):
        raise typer.Exit(1)


def _set_up_log(level: int) -> None:
    logging.basicConfig(level=logging.WARNING, handlers=[console.log_handler(console.err)], force=True)
    for name in ("kb", "ingest", "server"):
        logging.getLogger(name).setLevel(level)

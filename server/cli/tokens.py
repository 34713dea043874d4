"""`kb token`: who may use the service, and for what."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from kb.settings import load
from server.http.access.rights import RIGHTS
from server.http.access.tokens import TokenFile
from server.settings import ServerSettings

app = typer.Typer(help="Tokens for those who may use the service: add, list, revoke.", no_args_is_help=True)

_Name = Annotated[str, typer.Argument(help="Whose it is.")]


@app.command()
def add(
    name: _Name,
    may: Annotated[str, typer.Option(help=f"What it opens, with commas between: {', '.join(RIGHTS)}.")] = "read,ask",
) -> None:
    """Makes a token and prints it, this once. A running service knows it at once.

    Example: kb token add ada --may read,ask,write
    """
    rights = [part.strip() for part in may.split(",") if part.strip()]
    typer.echo(_tokens().add(name, rights))


@app.command("list")
def list_tokens() -> None:
    """Shows all tokens, without themselves.

    Example: kb token list
    """
    table = Table("name", "may", "since", box=None, pad_edge=False)
    for token in _tokens().all():
        table.add_row(token.name, ", ".join(token.rights), token.created)
    Console().print(table)


@app.command()
def revoke(name: _Name) -> None:
    """Takes a token back: it opens nothing any more, nor do the pages that were entered with it.

    Example: kb token revoke ada
    """
    _tokens().revoke(name)


def _tokens() -> TokenFile:
    return TokenFile(load(kind=ServerSettings).home)

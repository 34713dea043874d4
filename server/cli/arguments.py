"""What several commands of the terminal share: options, the filters made of them, and the way to a service."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb.settings import load
from kb.values.filters import Filters
from server.client.naming import find_document, paths_on_disk
from server.settings import ServerSettings
from server.terminal.loading import show_loading

if TYPE_CHECKING:
    from server.client.service import Service

_PANEL = "Which documents may answer"
_DAY = "%Y-%m-%d"


@contextmanager
def connected() -> Iterator["Service"]:
    """The service: the one that is running, else the data directory, opened for this command alone."""
    from server.client.connection import connect

    with connect(load(kind=ServerSettings), show_loading) as service:
        yield service


def as_text(argument: str) -> str:
    """Puts a mark in the place of bytes that are no text; nothing behind could take them."""
    return argument.encode(errors="surrogateescape").decode(errors="replace")


def as_texts(arguments: list[str] | None) -> list[str]:
    """The same for several."""
    return [as_text(argument) for argument in arguments or []]


Question = Annotated[str, typer.Argument(help="In Chinese or English.", callback=as_text)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
HowLong = Annotated[
    str | None,
    typer.Option("--thinking", help="How long a reasoning model may think: auto (as is needed), off, short or full."),
]
AsKind = Annotated[
    str | None,
    typer.Option(
        "--kind", help="Answer as a lookup, parts, document, exhaustive or inventory; else as it seems meant."
    ),
]
HowMuch = Annotated[
    str | None,
    typer.Option(
        "--effort",
        help="How much is done to find the answer: quick (one search), thorough (the model looks further, up to a"
        " minute more), or auto (it does so where too little was found, up to 20 seconds).",
    ),
]
ShowReasoning = Annotated[bool, typer.Option("--reasoning", help="Show what the model thinks.")]
TopK = Annotated[int | None, typer.Option(min=1, max=50, help="How many passages.")]


@dataclass(frozen=True, slots=True)
class Narrowing:
    """Which documents may answer: the options of all commands that search."""

    folders: Annotated[
        list[str] | None,
        typer.Option(
            "--in",
            metavar="FOLDER",
            help="Only files in this folder, on disk or below a watched one. What is named can be given several times.",
            callback=as_texts,
            rich_help_panel=_PANEL,
        ),
    ] = None
    types: Annotated[
        list[str] | None,
        typer.Option(
            "--type",
            metavar="TYPE",
            help="Only files of this type: pdf, md, text/plain.",
            callback=as_texts,
            rich_help_panel=_PANEL,
        ),
    ] = None
    tags: Annotated[
        list[str] | None,
        typer.Option(
            "--tag",
            metavar="TAG",
            help="Only documents with this tag.",
            callback=as_texts,
            rich_help_panel=_PANEL,
        ),
    ] = None
    documents: Annotated[
        list[str] | None,
        typer.Option(
            "--document",
            metavar="DOCUMENT",
            help="Only this document: its path on disk or below a watched folder, or its id.",
            callback=as_texts,
            rich_help_panel=_PANEL,
        ),
    ] = None
    since: Annotated[
        datetime | None,
        typer.Option(
            metavar="DAY",
            formats=[_DAY],
            help="Only documents of this day or later, as 2024-01-31: by their own date, else that of the file.",
            rich_help_panel=_PANEL,
        ),
    ] = None
    until: Annotated[
        datetime | None,
        typer.Option(
            metavar="DAY", formats=[_DAY], help="Only documents of this day or earlier.", rich_help_panel=_PANEL
        ),
    ] = None

    def filters(self, service: "Service") -> Filters:
        """Makes filters of the options.

        Raises:
            InvalidRequest: They make no sense, or a name stands for several documents.
            NotFound: There is no such document.
        """
        return Filters(
            folders=tuple(_folder_paths(self.folders or ())),
            types=tuple(self.types or ()),
            tags=tuple(self.tags or ()),
            since=_day(self.since),
            until=_day(self.until),
            document_ids=tuple(_document_ids(service, self.documents or ())),
        )


def _folder_paths(names: Iterable[str]) -> Iterable[str]:
    """A folder that is there on disk is meant as that; any other lies below a watched one."""
    for name in names:
        path = Path(name).expanduser()
        is_on_disk = path.is_absolute() or (name and os.path.exists(path))  # noqa: PTH110 - never raises
        yield from sorted(paths_on_disk(path)) if is_on_disk else [name]


def _document_ids(service: "Service", names: Iterable[str]) -> list[str]:
    listed = service.documents() if names else None
    return [find_document(name, listed).id for name in names] if listed else []


def _day(moment: datetime | None) -> date | None:
    return moment.date() if moment else None

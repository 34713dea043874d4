"""The library as one file: `kb export`, `kb import` and `kb backup`."""

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from kb.errors import InvalidRequest
from kb.settings import load
from server.settings import ServerSettings
from server.terminal import console
from server.terminal.loading import progress_bar

if TYPE_CHECKING:
    from kb.archive import Manifest

SUFFIX = ".kbz"

_NAME = "r1-kb-%Y%m%d-%H%M%S"


def export(file: Annotated[Path, typer.Argument(help="Where to write it.")]) -> None:
    """Writes the library into one file, with its embeddings; `kb serve` may run meanwhile.

    The documents' own files and the models are not in it. It is as confidential as the documents are, and kb.toml is in
    it, too.

    Example: kb export library.kbz
    """
    from kb.archive import export_library

    with progress_bar() as report:
        manifest = export_library(load(kind=ServerSettings).home, file, report)
    _tell(manifest, f"in {file}")


def import_(
    file: Annotated[Path, typer.Argument(help="What `kb export` or `kb backup` has written.")],
    folder: Annotated[
        list[str] | None, typer.Option(help="A watched folder that is elsewhere now, as OLD=NEW; may be repeated.")
    ] = None,
) -> None:
    """Makes a new data directory of an exported library; nothing is embedded anew.

    Examples:

    kb import library.kbz

    kb --home ~/kb import library.kbz --folder /home/jane/papers=/Users/jane/papers
    """
    from kb.archive import import_library

    home = load(kind=ServerSettings).home
    with progress_bar() as report:
        manifest = import_library(file, home, dict(map(_moved, folder or [])), report)
    _tell(manifest, f"in {home}")


def backup(
    folder: Annotated[Path, typer.Argument(help="Where the backups are kept; made if it is not there.")],
    keep: Annotated[int, typer.Option(min=1, help="How many are kept; older ones are removed.")] = 7,
) -> None:
    """Exports the library under a name with date and time, and removes the oldest; `kb serve` may run meanwhile.

    Example: kb backup ~/backups --keep 14
    """
    from kb.archive import export_library

    folder.mkdir(0o700, parents=True, exist_ok=True)
    target = folder / (datetime.now().strftime(_NAME) + SUFFIX)
    with progress_bar() as report:
        manifest = export_library(load(kind=ServerSettings).home, target, report)
    for old in sorted(folder.glob(f"r1-kb-*{SUFFIX}"))[:-keep]:
        old.unlink()
    _tell(manifest, f"in {target}")


def _moved(pair: str) -> tuple[str, str]:
    old, separator, new = pair.partition("=")
    if not (old and separator and new):
        raise InvalidRequest(f"--folder {pair}: it is written OLD=NEW", "as in --folder /old/papers=/new/papers")
    return str(Path(old)), str(Path(new).expanduser().absolute())


def _tell(manifest: "Manifest", where: str) -> None:
    console.out.print(
        console.escaped(f"{manifest.documents} documents, {manifest.chunks} passages, of {manifest.made_at}: {where}")
    )

"""The commands that care for what is indexed: `kb add`, `sync`, `forget`, `reindex` and `status`."""

from collections.abc import Sequence
from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from kb.errors import InvalidRequest
from server.cli.arguments import AsJson, as_texts, connected
from server.client.naming import find_document
from server.terminal import console
from server.terminal.cleaning import printable_json
from server.terminal.status_view import show_status
from server.terminal.work_view import work_progress


def add(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders with all that can be read in them.")],
) -> None:
    """Copies files into the watched folder, and waits until they are indexed.

    Example: kb add ~/Downloads/report.pdf
    """
    with connected() as service:
        for path in chain.from_iterable(map(_files, paths)):
            for uploaded in service.add(path).uploaded:
                console.out.print(console.escaped(f"{path} → {uploaded.root}/{uploaded.source}"))
        with work_progress(console.err) as watch:
            result = service.sync(watch)
    console.show_sync(result)


def sync(
    retry: Annotated[bool, typer.Option("--retry", help="Try files again that failed, though unchanged.")] = False,
) -> None:
    """Brings the index up to date with the folders, and waits for it.

    Examples:

    kb sync

    kb sync --retry
    """
    with connected() as service, work_progress(console.err) as watch:
        result = service.sync(watch, retry=retry)
    console.show_sync(result)


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
    with connected() as service:
        listed = service.documents()
        found = {document.id: document for document in (find_document(name, listed) for name in documents)}
        service.forget(list(found))
    console.show_forgotten(list(found.values()))


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
    with connected() as service:
        if not wait:
            console.out.print(service.start_reindex(embed=embed).message, markup=False)
            return
        with work_progress(console.err) as watch:
            result = service.reindex(watch, embed=embed)
    console.show_sync(result)


def status(as_json: AsJson = False) -> None:
    """Shows models, folders, queue, and every file that could not be indexed, with the reason.

    Example: kb status --json | jq .failures
    """
    with connected() as service:
        found = service.status()
    if as_json:
        print(printable_json(found.model_dump_json(indent=2)))
    else:
        show_status(console.out, found)


def _files(path: Path) -> Sequence[Path]:
    """The files that a path stands for: itself, or those in a folder that can be read."""
    from ingest.folders.listing import list_files

    try:
        if not path.is_dir():
            return [path]
        files = [path / file.source for file in list_files(path.absolute()).files]
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}", "check who may read it") from error
    if not files:
        raise InvalidRequest(f"nothing in {path} can be read", "the README lists what can be read")
    return files

"""`kb models`: lists, fetches and chooses models. Knows the terminal; what a model is, `kb` knows.

Errors pass through: the command line as a whole turns a `KBError` into a message and an exit code.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from kb import settings
from kb.errors import InvalidRequest, ModelMissing, NotFound, StorageError
from server.settings import ServerSettings
from server.terminal.loading import progress_bar

if TYPE_CHECKING:
    from kb.models.store import ModelStore

app = typer.Typer(help="The models on this machine: list, fetch, choose.", no_args_is_help=True)

_NAMES = "A catalog name, a path, hf:owner/repo/file.gguf, or what KB_RERANKER or KB_JUDGE is set to."
_Name = Annotated[
    str,
    typer.Argument(help=_NAMES),
]


@app.command("list")
def list_models() -> None:
    """Shows the models that r1-kb knows, which of them are here, and which are in use.

    Example: kb models list
    """
    current = settings.load(kind=ServerSettings)
    store = _store(current)
    here = {model.name: model.size_bytes for model in store.installed()}
    in_use = {store.choose_answer_model(current.model), current.embedding_model, current.reranker, current.judge}
    table = Table(box=None, pad_edge=False)
    table.add_column("model", no_wrap=True)
    table.add_column("size", no_wrap=True, justify="right")
    table.add_column("here", no_wrap=True)
    table.add_column("what it is")
    about = {model.name: model for model in store.catalog}
    for name in dict.fromkeys([*about, *here]):
        model = about.get(name)
        state = ("in use" if name in in_use else "yes") if name in here else "-"
        size = decimal(here.get(name, model.size_bytes if model else 0))
        table.add_row(name, size, state, f"{model.description} ({model.licence})" if model else "")
    console = Console()
    console.print(table)
    console.print()
    console.print(store.describe_choice(store.choose_answer_model(current.model)), highlight=False)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help=f"{_NAMES} None: those that find and answer.")] = "",
    url: Annotated[str | None, typer.Option(help="Fetch it from this address instead of the known sources.")] = None,
) -> None:
    """Fetches a model; after an interruption, the same command continues where it was.

    Examples:

    kb models pull

    kb models pull deepseek-r1-distill-qwen-1.5b

    kb models pull hf:bartowski/Qwen2.5-3B-Instruct-GGUF/Qwen2.5-3B-Instruct-Q4_K_M.gguf

    kb models pull deepseek-r1-distill-qwen-7b --url https://mirror.example/r1-7b-q4_k_m.gguf
    """
    from kb.wiring import fetch_models, prepare_embedding

    current = settings.load(kind=ServerSettings)
    with progress_bar() as report:
        if not name:
            fetch_models(current, report)
            typer.echo("the models that find and answer are here")
            return
        path = _store(current).pull(name, report, url)
        if path.is_dir() and name not in (current.reranker, current.judge):
            prepare_embedding(path, current, report)
    typer.echo(f"{name} is here: {path}")


@app.command()
def path(name: _Name) -> None:
    """Prints where a model is, for scripts.

    Example: kb models path multilingual-e5-small
    """
    found = _store(settings.load(kind=ServerSettings)).find(name)
    if found is None:
        raise ModelMissing(f"{name} is not on this machine", f"`kb models pull {name}` fetches it")
    typer.echo(str(found))


@app.command()
def use(name: _Name) -> None:
    """Chooses the model that answers, and notes it in kb.toml.

    Examples:

    kb models use deepseek-r1-distill-qwen-7b

    kb models use ~/models/my-model-q4_k_m.gguf
    """
    current = settings.load(kind=ServerSettings)
    store = _store(current)
    known, found = store.known(name), store.find(name)
    if known and known.role == "reranker":
        raise InvalidRequest(f"{name} is a reranker: it puts passages in order, and cannot answer")
    if (known and known.role == "embedding") or (found and found.is_dir()):
        raise InvalidRequest(f"{name} is an embedding model: it finds passages, and cannot answer")
    if not known and not found:
        raise NotFound(f"no model {name!r} here or in the catalog", "`kb models list` shows the names")
    chosen = name if known else str(found)
    config = current.home / settings.CONFIG_NAME
    _set_model(config, chosen)
    typer.echo(f'model = "{chosen}" is now in {config}')
    typer.echo(store.describe_choice(chosen))
    effective = settings.load(kind=ServerSettings).model
    if effective != chosen:
        typer.echo(f"The environment variable KB_MODEL is set, and goes before the file: {effective} stays in use.")


def _store(current: settings.Settings) -> "ModelStore":
    from kb.models.store import ModelStore

    cross_encoders, embedder = (current.reranker, current.judge), current.embedding_model
    return ModelStore.of_hub(current.models, *cross_encoders, embedder=embedder, hub=current.hub)


def _set_model(config: Path, name: str) -> None:
    """Changes one key and leaves all else as the user wrote it; a reader sees the old file or the new one."""
    import tomlkit

    config = config.resolve()  # a link stays a link
    written = config.with_name(f"{config.name}.new")
    try:
        document = tomlkit.parse(config.read_text("utf-8")) if config.exists() else tomlkit.document()
        document["model"] = name
        config.parent.mkdir(parents=True, exist_ok=True)
        written.touch(0o600)  # a token may stand in it
        written.write_text(tomlkit.dumps(document), "utf-8")
        written.replace(config)
    except OSError as error:
        raise StorageError(f"{config} cannot be written: {error.strerror}", "check its permissions") from error

"""A model that a setting names: found, or fetched, with errors that say what to do about that setting."""

from pathlib import Path

from kb.errors import ModelDownloadError, ModelLoadError, NotFound
from kb.models.store import ModelStore
from kb.values.progress import Progress, Report


def fetched(store: ModelStore, name: str, setting: str, forms: str, report: Report) -> Path:
    """File or folder of a model; it is fetched if it is not there.

    Args:
        setting: What names it.
        forms: What may be named there, as the end of a sentence that begins with "is neither".

    Raises:
        ModelDownloadError: No source gave it.
        ModelLoadError: The name is no such thing.
        StorageError: The disk is full or cannot be written.
    """
    if found := store.find(name):
        return found
    if store.known(name):
        report(Progress(name, 0, None))  # who will not wait for a download need not wait for the hub either
    try:
        return store.pull(name, report)
    except ModelDownloadError as error:
        hint = (
            "set a proxy (HTTPS_PROXY), a mirror (HF_ENDPOINT) or KB_HUB=modelscope and start again, or set"
            f" {setting} to what is on this machine; what has come so far is kept"
        )
        raise ModelDownloadError(error.message, hint) from error
    except NotFound as error:
        message = f"{setting}={name!r} is neither {forms}"
        raise ModelLoadError(message, f"correct {setting} and start again; {error.hint}") from error

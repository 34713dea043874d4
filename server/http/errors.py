"""Which HTTP status an error of the core becomes, and when its client may come again."""

from kb.errors import (
    DataDirectoryLocked,
    InvalidRequest,
    KBError,
    ModelBusy,
    ModelError,
    NotFound,
    PromptTooLong,
    RequestTooLarge,
    StorageError,
    UnsupportedType,
)
from server.http.threads import Busy

# The first class that an error is an instance of decides.
STATUS_OF: tuple[tuple[type[KBError], int], ...] = (
    (RequestTooLarge, 413),
    (UnsupportedType, 415),
    (InvalidRequest, 400),
    (NotFound, 404),
    (DataDirectoryLocked, 409),
    (StorageError, 507),
    (ModelBusy, 429),
    (Busy, 429),
    (PromptTooLong, 413),
    (ModelError, 503),
)


def status_of(error: KBError) -> int:
    """The HTTP status that an error becomes."""
    return next((status for kind, status in STATUS_OF if isinstance(error, kind)), 500)


def retry_after(error: KBError) -> dict[str, str]:
    """The header that tells when to come again; empty if it is no use to."""
    return {"retry-after": str(error.retry_after_seconds)} if isinstance(error, ModelBusy | Busy) else {}

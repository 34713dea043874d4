"""Every error that r1-kb raises on purpose.

KBError
├── SettingsError              a setting has a value that cannot work
├── InvalidRequest             the caller asked for something that makes no sense
│   ├── RequestTooLarge        … or that is larger than the limits allow
│   └── UnsupportedType        … or in a format that has no loader
├── NotFound                   no such document, model or file
├── DataDirectoryLocked        another process owns the data directory
├── StorageError               the disk is full, or a data file cannot be read or written
│   ├── SchemaMismatch         the catalog was written by another version
│   └── VectorIndexError       the vector index failed: it can be made anew from the catalog
├── UnreadableFile             one file could not be turned into text (recorded, never fatal)
└── ModelError
    ├── ModelMissing           no model file is there, or none could be fetched
    ├── ModelDownloadError     a source failed, or what it gave has the wrong SHA-256
    ├── ModelLoadError         the file is there but does not load
    ├── ModelUnreachable       the server that a model runs on cannot be reached, or fails
    ├── PromptTooLong          question and passages do not fit into the context window
    └── ModelBusy              the queue of questions is full

`message` says what failed and on what; `hint` says what to do next. `code` is the stable name that scripts see.
"""

from typing import Self


class KBError(Exception):
    """The base of all errors of this project.

    Args:
        message: What failed, and on which path or name.
        hint: What to do next, in one sentence; empty where the message says it already.
    """

    code = "error"

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def again(self) -> Self:
        """Copies an error that is kept, to raise it once more.

        Raising an object adds to its traceback, and that keeps every frame it passed through; a copy starts with none,
        and with no cause.
        """
        copy = type(self).__new__(type(self), *self.args)
        copy.__dict__.update(self.__dict__)
        return copy


class SettingsError(KBError):
    """A setting has a value that cannot work."""

    code = "bad_setting"


class InvalidRequest(KBError):
    """The caller asked for something that makes no sense."""

    code = "invalid_request"


class RequestTooLarge(InvalidRequest):
    """A question, an upload or another request is larger than the limits allow."""

    code = "too_large"


class UnsupportedType(InvalidRequest):
    """No loader reads this type of file."""

    code = "unsupported_type"


class NotFound(KBError):
    """No such document, model or file."""

    code = "not_found"


class DataDirectoryLocked(KBError):
    """Another process owns the data directory."""

    code = "locked"


class StorageError(KBError):
    """The disk is full, or a data file cannot be read or written."""

    code = "storage"


class SchemaMismatch(StorageError):
    """The catalog was written by a version of r1-kb that this one cannot read."""

    code = "schema_mismatch"


class VectorIndexError(StorageError):
    """The vector index failed, and only that: it is derived, and can be made anew from the catalog."""

    code = "vector_index"


class UnreadableFile(KBError):
    """One file could not be turned into text; the reason is recorded beside its path."""

    code = "unreadable_file"


class ModelError(KBError):
    """Something about a model failed."""

    code = "model_error"


class ModelMissing(ModelError):
    """No model file is there, or none could be fetched yet."""

    code = "no_model"


class ModelDownloadError(ModelError):
    """A source of a model failed, or what it gave has the wrong SHA-256."""

    code = "model_download"


class ModelLoadError(ModelError):
    """A model file is there but does not load."""

    code = "model_load"


class ModelUnreachable(ModelError):
    """The server that a model runs on cannot be reached, or fails; it may be back in a moment."""

    code = "model_unreachable"


class PromptTooLong(ModelError):
    """Question and passages do not fit into the model's context window."""

    code = "prompt_too_long"


class ModelBusy(ModelError):
    """The queue of questions is full.

    Args:
        message: What failed.
        hint: What to do next.
        retry_after_seconds: When a place in the queue is likely to be free.
    """

    code = "busy"

    def __init__(self, message: str, hint: str = "", retry_after_seconds: int = 10) -> None:
        super().__init__(message, hint)
        self.retry_after_seconds = retry_after_seconds

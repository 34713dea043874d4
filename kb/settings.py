"""What can be set of the knowledge base. `load` is the only reader of the environment and of `kb.toml`.

A value is looked for in this order: flag, `KB_*` environment variable, `kb.toml` in the data directory, default. The
rooms above add settings of their own by a class that inherits from this one, and read them with the same `load`.
"""

import json
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal, Self, TypeVar, overload

import platformdirs
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from kb.errors import InvalidRequest, SettingsError
from kb.models.keyring_keys import key_in_keyring
from kb.models.remote import RemoteModel, remote_model
from kb.values.answers import Effort, Routing, Thinking
from kb.values.filters import Filters

CONFIG_NAME = "kb.toml"
_LEAST_CONTEXT_TOKENS = 512
_SAVED_FILTERS = TypeAdapter(dict[str, Filters], config=ConfigDict(extra="forbid"))


class Settings(BaseModel):
    """What `kb` reads. A field is a key of `kb.toml` and, with `KB_` before it, an environment variable."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    knows_every_key: ClassVar[bool] = False
    """Whether a key of `kb.toml` that is no field is a mistake; else it is left to who reads more of the file."""

    home: Path = Field(description="Data directory: catalog, vector index, lock and `kb.toml`.")
    models: Path = Field(description="Where model files are kept; may be shared by several data directories.")

    model: str = Field(
        default="",
        description="Answering model: a catalog name, a path, `hf:owner/repo/file.gguf`, or on a server"
        " `openai:MODEL@URL` or `ollama:MODEL@URL`.",
    )
    api_key: SecretStr = Field(
        default=SecretStr(""),
        description="Key for the server of the answering model, or else of embedding model or reranker; goes to no"
        " other host.",
    )
    api_key_file: str = Field(default="", description="A file that holds that key.")
    keyring: str = Field(
        default="",
        description="Service in the system's keyring under which keys of servers lie, each by its host; empty: it is"
        " not asked.",
    )
    small_model: str = Field(
        default="",
        description="A second, small model: it judges, answers what is plain, and what must stay here; empty: none.",
    )
    routing: Routing = Field(
        default="auto", description="Which of the two answers: small, large, or auto: large what is not plain."
    )
    fallback: Literal["on", "off"] = Field(
        default="on", description="Whether the small one answers, and says so, where the large one cannot be reached."
    )
    local_only: tuple[str, ...] = Field(
        default=(), description="Folders and tags whose documents are never sent to a model elsewhere."
    )
    remote_allow: tuple[str, ...] = Field(
        default=(), description="Hosts that a model may be on, this machine aside; empty: the one that is named."
    )
    pii: Literal["off", "mark", "mask-remote", "mask"] = Field(
        default="off",
        description="Personal data that has a form (numbers of phones, cards …): mark: answers say where they hold"
        " some; mask-remote: and a model elsewhere gets placeholders; mask: and it is covered in what is indexed.",
    )
    pii_regions: tuple[str, ...] = Field(
        default=("CN", "US", "GB"), description="Countries whose phone numbers are found without a `+`, too."
    )
    saved_filters: dict[str, Filters] = Field(
        default={},
        description="Filters by a name, under which other programs choose them: tables `saved_filters.NAME` in"
        " `kb.toml`, elsewhere JSON.",
    )
    embedding_model: str = Field(
        default="multilingual-e5-small",
        description="Catalog name, `owner/repo` of a sentence-transformers model on the hub, `hf:owner/repo/file.gguf`,"
        " a local folder or GGUF file, or on a server `openai:MODEL@URL` or `ollama:MODEL@URL`.",
    )
    embedding_backend: Literal["auto", "torch", "onnx"] = Field(
        default="auto", description="What embeds: onnx (8 bit, on the CPU), torch, or auto: torch where it has a GPU."
    )
    hub: Literal["huggingface", "modelscope"] = Field(
        default="huggingface", description="Where models are fetched from first: huggingface or modelscope."
    )
    chroma: str = Field(
        default="",
        description="Address of a Chroma server that keeps the vector index; empty: the data directory does.",
    )
    reranker: str = Field(
        default="",
        description="Reranker: `owner/repo` of a cross-encoder on the hub, a local folder, or on a server"
        " `openai:MODEL@URL`; empty: none.",
    )
    rerank_depth: int = Field(default=20, ge=1, le=100, description="How many hits the reranker puts in order.")
    judge: str = Field(
        default="",
        description="Judge of what is written: `owner/repo` of a cross-encoder for entailment on the hub, or a local "
        "folder; empty: the answering model.",
    )
    context_tokens: int = Field(
        default=0, ge=0, description="Context window of the answering model; 0: what memory allows, at most 8192."
    )
    threads: int = Field(default=0, ge=0, description="Threads of the answering model; 0: measured at its first load.")
    batch_tokens: int = Field(default=0, ge=0, description="Most tokens of a prompt read at once; 0: measured.")
    flash_attention: Literal["auto", "on", "off"] = Field(
        default="auto", description="Flash attention in llama.cpp: on, off, or auto: measured."
    )
    kv_type: Literal["auto", "f16", "q8_0"] = Field(
        default="auto", description="How llama.cpp keeps its context: f16, q8_0 (half the memory), or auto: by memory."
    )
    gpu_layers: int = Field(default=-1, ge=-1, description="Layers on the GPU, if llama.cpp has one; -1: what fits.")
    queue_size: int = Field(default=8, ge=1, description="Questions that may wait for the model.")

    thinking: Thinking = Field(
        default="auto", description="How long a reasoning model may think: off, short, full, or auto: as is needed."
    )
    reasoning_short_tokens: int = Field(default=256, ge=1, description="Reasoning budget of `short`.")
    reasoning_full_tokens: int = Field(default=1024, ge=1, description="Reasoning budget of `full`.")
    answer_tokens: int = Field(default=400, ge=16, description="Longest answer.")
    answer_seconds: float = Field(
        default=600.0, gt=0, description="Longest time for reading the prompt, thinking and writing the answer."
    )
    read_ahead: Literal["on", "off"] = Field(
        default="on",
        description="Whether the answering model reads the sources while a question is typed; on a server it never"
        " does.",
    )
    effort: Effort = Field(
        default="quick",
        description="How much is done to find an answer: quick: one search; thorough: the model looks further, too, up"
        " to a minute; auto: it does so, up to 20 seconds, where too little was found.",
    )
    top_k: int = Field(default=4, ge=1, le=50, description="Passages per question.")
    passage_tokens: int = Field(
        default=320,
        ge=64,
        description="Tokens of all passages in a prompt for one fact; for more, up to three times as many.",
    )
    min_evidence: float = Field(
        default=0.5,
        ge=0.0,
        le=1.0,
        description="The service declines what is less likely to stand in the passages; 0: it answers always.",
    )
    keep_conversations: Literal["on", "off"] = Field(
        default="on", description="Whether conversations of the page and of `kb chat` are kept in the data directory."
    )
    digest: Literal["asked", "idle"] = Field(
        default="asked",
        description="When documents are read whole for their summaries: when somebody asks, or idle: when nobody does.",
    )
    max_question_chars: int = Field(default=4000, ge=1, description="Longest question.")

    @field_validator("context_tokens", mode="after")
    @classmethod
    def _none_or_enough(cls, tokens: int) -> int:
        if 0 < tokens < _LEAST_CONTEXT_TOKENS:
            raise ValueError(f"must be 0, or at least {_LEAST_CONTEXT_TOKENS}")
        return tokens

    @field_validator("home", "models", mode="after")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return path.expanduser().absolute()

    @field_validator("remote_allow", "local_only", "pii_regions", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value

    @field_validator("saved_filters", mode="before")
    @classmethod
    def _filters(cls, value: object) -> object:
        try:
            return _SAVED_FILTERS.validate_python(json.loads(value) if isinstance(value, str) else value)
        except (ValueError, InvalidRequest) as error:
            reason = " ".join(str(error).split("[type=")[0].split())
            raise ValueError(f'must be like {{"NAME": {{"folders": ["a/b"], "tags": ["c"]}}}}: {reason}') from error

    @model_validator(mode="after")
    def _may_be_asked(self) -> Self:
        allowed = {host.lower() for host in self.remote_allow}
        readers = (self.remote_embedder, self.remote_reranker)
        elsewhere = (remote_model(self.model), remote_model(self.small_model, "KB_SMALL_MODEL"), *readers)
        for remote in elsewhere:
            if remote and remote.is_elsewhere and allowed and remote.host not in allowed:
                raise SettingsError(
                    f"the model {remote.model!r} is on {remote.host}, which is not among the hosts of KB_REMOTE_ALLOW",
                    "add the host there, or choose another model",
                )
        for remote in readers:
            if remote and remote.is_elsewhere and self.local_only:
                raise SettingsError(
                    f"{remote.setting} is on {remote.host}, which would see what KB_LOCAL_ONLY keeps on this machine",
                    f"choose a model on this machine with {remote.setting}, or empty KB_LOCAL_ONLY",
                )
        return self

    @property
    def remote_embedder(self) -> RemoteModel | None:
        """The embedding model, if it is on a server."""
        return remote_model(self.embedding_model, "KB_EMBEDDING_MODEL")

    @property
    def remote_reranker(self) -> RemoteModel | None:
        """The reranker, if it is on a server."""
        return remote_model(self.reranker, "KB_RERANKER")

    def key_for(self, remote: RemoteModel) -> str:
        """The key that a server is sent: its own from the keyring, else, for the host of the first model that is on a
        server, the one that is set; empty: none.

        Raises:
            SettingsError: The file that holds it cannot be read, or is empty; or the keyring cannot be read.
        """
        if self.keyring and (key := key_in_keyring(self.keyring, remote.host)):
            return key
        first = remote_model(self.model) or self.remote_embedder or self.remote_reranker
        if first is None or first.host != remote.host:
            return ""
        if key := self.api_key.get_secret_value().strip():
            return key
        if not self.api_key_file:
            return ""
        hint = "correct KB_API_KEY_FILE: a file with the key and nothing else, readable by you"
        try:
            key = Path(self.api_key_file).expanduser().read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"the key in {self.api_key_file} cannot be read: {error}", hint) from error
        if not key or not key.isascii() or any(map(str.isspace, key)):
            raise SettingsError(f"{self.api_key_file} holds no key", hint)
        return key


AnySettings = TypeVar("AnySettings", bound=Settings)


@overload
def load(environment: Mapping[str, str] | None = None, *, kind: type[AnySettings], **flags: Any) -> AnySettings: ...


@overload
def load(environment: Mapping[str, str] | None = None, **flags: Any) -> Settings: ...


def load(environment: Mapping[str, str] | None = None, *, kind: type[Settings] = Settings, **flags: Any) -> Settings:
    """Reads the settings from flags, environment and `kb.toml`.

    Args:
        environment: Instead of the process's own.
        kind: Which settings are read; keys of the file that belong to another kind are no error.
        flags: Fields of that kind; those that are None are ignored.

    Raises:
        SettingsError: A value is of the wrong type or out of range, a key is unknown, or `kb.toml` is not valid TOML.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in flags.items() if value is not None}
    exported = {
        name: environment[variable]
        for name in kind.model_fields
        if (variable := f"KB_{name.upper()}") in environment and environment[variable] != ""
    }
    defaults: dict[str, Any] = {
        "home": platformdirs.user_data_path("r1-kb"),
        "models": platformdirs.user_cache_path("r1-kb") / "models",
    }
    home = Path(given.get("home") or exported.get("home") or defaults["home"]).expanduser()
    written = _read_config(home / CONFIG_NAME)
    if not kind.knows_every_key:
        written = {name: value for name, value in written.items() if name in kind.model_fields}
    try:
        return kind(**(defaults | written | exported | given))
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"setting {name!r}: {first['msg']} (got {first.get('input')!r})",
            f"correct the flag, the variable KB_{name.upper()} or {home / CONFIG_NAME}",
        ) from error


def _read_config(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{path} is not valid TOML: {error}", "correct or remove the file") from error
    except OSError as error:
        raise SettingsError(f"{path} cannot be read: {error.strerror}", "check its permissions") from error

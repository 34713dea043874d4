"""The models in use: which they are, how far each is, and waiting for them."""

from dataclasses import dataclass

from kb.errors import KBError
from kb.indexing.live_index import LiveIndex
from kb.indexing.upkeep import Upkeep
from kb.models.loading import Loading, LoadState, LoadStatus
from kb.models.remote import remote_model
from kb.models.store import ModelStore
from kb.ports import LanguageModel, Reranker
from kb.settings import Settings
from kb.values.chat import LanguageModelInfo

PATIENCE_SECONDS = 60.0
"""How long a question waits for models that load from disk; a download is not waited for."""


@dataclass(frozen=True, slots=True)
class ModelStatus:
    """A model as the user sees it.

    Attributes:
        note: One sentence on the choice: which model it is, and how to get a better one.
        info: Of the loaded language model; None for another model, or before it is loaded.
        host: The machine that sees what the model is asked; empty: this one.
    """

    name: str
    note: str
    loading: LoadStatus
    info: LanguageModelInfo | None = None
    host: str = ""


class Models:
    """Loads the models in the background, each once.

    Args:
        upkeep: Loads embedding model and vector index.
        answering_model: Loads the answering model.
        reranker_model: Loads the reranker, whose order the search uses; None: the user wants none.
        small_model: Loads the small model beside the answering one; None: there is none.
    """

    def __init__(
        self,
        settings: Settings,
        upkeep: Loading[Upkeep],
        answering_model: Loading[LanguageModel],
        reranker_model: Loading[Reranker] | None = None,
        small_model: Loading[LanguageModel] | None = None,
    ) -> None:
        self._settings = settings
        self._store = ModelStore(settings.models)
        self.upkeep = upkeep
        self.answering_model = answering_model
        self.reranker_model = reranker_model
        self.small_model = small_model

    def close(self) -> None:
        """Stops generation, and frees all that is loaded."""
        self.answering_model.close()
        if self.small_model:
            self.small_model.close()
        self.upkeep.close()
        if self.reranker_model:
            self.reranker_model.close()

    def ready_upkeep(self) -> Upkeep:
        """Embedding model and index; waits a moment for them.

        Raises:
            ModelError: The embedding model is not there, or does not load.
        """
        return self.upkeep.require(PATIENCE_SECONDS)

    def live_index(self) -> LiveIndex:
        """The index that answers. See `ready_upkeep`."""
        return self.ready_upkeep().live_index

    def start(self) -> None:
        """Begins to load the models, each in a thread of its own; what failed before is tried again."""
        self.upkeep.start()
        self.answering_model.start()
        if self.small_model:
            self.small_model.start()
        if self.reranker_model:
            self.reranker_model.start()

    def wait_for_index(self, timeout_seconds: float | None = None) -> bool:
        """Waits until documents can be indexed and found; what failed before is tried again.

        Returns:
            Whether they can by now.

        Raises:
            ModelError: The embedding model is missing or does not load.
        """
        self.upkeep.start()
        return self.upkeep.wait(timeout_seconds) is not None

    def wait_for_model(self, timeout_seconds: float | None = None) -> bool:
        """Waits until questions can be answered; what failed before is tried again.

        Returns:
            Whether they can by now.

        Raises:
            ModelError: The answering model is missing or does not load.
        """
        self.answering_model.start()
        return self.answering_model.wait(timeout_seconds) is not None

    def wait_for_reranker(self, timeout_seconds: float = PATIENCE_SECONDS) -> bool:
        """Waits while the reranker loads; a download is not waited for, and searches never wait.

        Returns:
            Whether searches are reranked by now.
        """
        try:
            return self.reranker_model is not None and self.reranker_model.require(timeout_seconds) is not None
        except KBError:
            return False

    def answering(self) -> ModelStatus:
        """The model that answers, and how far it is."""
        return self._status(self.answering_model, self._settings.model)

    def small(self) -> ModelStatus | None:
        """The small model beside it, and how far it is; None: there is none."""
        return self._status(self.small_model, self._settings.small_model) if self.small_model else None

    def embedding(self) -> ModelStatus:
        """The model that embeds, and how far it is."""
        return ModelStatus(self._settings.embedding_model, "", self.upkeep.status)

    def reranker(self) -> ModelStatus | None:
        """The model that puts in order what is found, and how far it is; None: the user wants none."""
        if self.reranker_model is None:
            return None
        loading = self.reranker_model.status
        note = "" if loading.state is LoadState.READY else "searches go on without it"
        return ModelStatus(self._settings.reranker, note, loading)

    def _status(self, loading: Loading[LanguageModel], setting: str) -> ModelStatus:
        model, status, remote = loading.get(), loading.status, remote_model(setting)
        name = model.info.name if model else self._store.choose_answer_model(setting) or ""
        coming = status.progress if status.state is LoadState.DOWNLOADING else None
        note = f"{coming.label} is being fetched" if coming else self._store.describe_choice(setting or name)
        host = remote.host if remote and remote.is_elsewhere else ""
        return ModelStatus(remote.model if remote else name, note, status, model.info if model else None, host)

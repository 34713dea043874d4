"""The models in use: which they are, how far each is, and waiting for them."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from kb.answering.engines.calibrations import Calibrations
from kb.answering.engines.idle_calibration import IdleCalibration
from kb.errors import KBError
from kb.indexing.live_index import LiveIndex
from kb.indexing.upkeep import Upkeep
from kb.models.loading import Loading, LoadState, LoadStatus
from kb.models.remote import RemoteModel, remote_model
from kb.models.store import ModelStore
from kb.ports import Judge, LanguageModel, Reranker
from kb.processor import Quiet
from kb.settings import Settings
from kb.values.chat import LanguageModelInfo
from kb.values.progress import Progress

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


@dataclass(frozen=True, slots=True)
class JudgeStatus:
    """Whether what is written is judged.

    Attributes:
        state: `ready`: it is; `uncalibrated`: not yet, the model must be tried out first; `calibrating`: it is being
            tried out; `unable`: the model has turned out to be no judge.
        progress: Of the calibration; None without.
        note: Who judges, or why the judge that is set does not; empty: the answering model judges itself.
    """

    state: Literal["ready", "uncalibrated", "calibrating", "unable"]
    progress: Progress | None = None
    note: str = ""


class Models:
    """Loads the models in the background, each once.

    Args:
        upkeep: Loads embedding model and vector index.
        answering_model: Loads the answering model.
        reranker_model: Loads the reranker, whose order the search uses; None: the user wants none.
        judge_model: Loads the judge of all answers; None: the model that looks judges them.
        small_model: Loads the small model beside the answering one, which looks then; None: there is none.

    Attributes:
        calibrations: Of answering models.
        quiet: Kept while a model is measured; indexing waits for it.
    """

    def __init__(
        self,
        settings: Settings,
        upkeep: Loading[Upkeep],
        answering_model: Loading[LanguageModel],
        reranker_model: Loading[Reranker] | None = None,
        judge_model: Loading[Judge] | None = None,
        small_model: Loading[LanguageModel] | None = None,
        quiet: Quiet | None = None,
    ) -> None:
        self._settings = settings
        self.quiet = quiet or Quiet()
        self._store = ModelStore(settings.models)
        self.upkeep = upkeep
        self.answering_model = answering_model
        self.reranker_model = reranker_model
        self.judge_model = judge_model
        self.small_model = small_model
        self.calibrations = Calibrations(settings.models)
        self._calibration = IdleCalibration(self.looking_model, self.calibrations)

    def close(self) -> None:
        """Stops generation, and frees all that is loaded."""
        self._calibration.close()
        self.answering_model.close()
        if self.small_model:
            self.small_model.close()
        self.upkeep.close()
        if self.reranker_model:
            self.reranker_model.close()
        if self.judge_model:
            self.judge_model.close()

    @property
    def looking_model(self) -> Loading[LanguageModel]:
        """The model that looks and judges: the small one, if there is one."""
        return self.small_model or self.answering_model

    @property
    def looks_elsewhere(self) -> bool:
        """Whether what the model that looks and judges is asked leaves this machine."""
        remote = remote_model(self._settings.small_model if self.small_model else self._settings.model)
        return remote is not None and remote.is_elsewhere

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
        if self.judge_model:
            self.judge_model.start()

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

    def calibrate_when(self, is_idle: Callable[[], bool]) -> None:
        """Has a new model tried out as a judge, when nobody waits for the machine; one elsewhere may cost money."""
        if not self.looks_elsewhere:
            self._calibration.start(is_idle)

    def appointed_judge(self) -> Judge | None:
        """Who judges all answers; None: nobody is set, or it is not there, and each model judges its own."""
        if self.judge_model and self.judge_model.status.state is LoadState.WAITING:
            self.judge_model.start()
        return self.judge_model.get() if self.judge_model else None

    def judge(self) -> JudgeStatus:
        """Whether what is written is judged."""
        if self.appointed_judge():
            return JudgeStatus("ready", note=f"{self._settings.judge} judges.")
        if self.judge_model and (error := self.judge_model.status.error):
            note = f"{error.message}; the answering model judges itself meanwhile"
        else:
            note = ""
        if progress := self._calibration.progress:
            return JudgeStatus("calibrating", progress, note)
        model = self.looking_model.get()
        calibration = self.calibrations.find(model.info) if model else None
        if calibration is None:
            return JudgeStatus("uncalibrated", note=note)
        return JudgeStatus("ready" if calibration.can_judge_statements else "unable", note=note)

    def answering(self) -> ModelStatus:
        """The model that answers, and how far it is."""
        return self._status(self.answering_model, self._settings.model)

    def small(self) -> ModelStatus | None:
        """The small model beside it, and how far it is; None: there is none."""
        return self._status(self.small_model, self._settings.small_model) if self.small_model else None

    def embedding(self) -> ModelStatus:
        """The model that embeds, and how far it is."""
        remote = self._settings.remote_embedder
        name = remote.model if remote else self._settings.embedding_model
        return ModelStatus(name, "", self.upkeep.status, host=_seen_by(remote))

    def reranker(self) -> ModelStatus | None:
        """The model that puts in order what is found, and how far it is; None: the user wants none."""
        if self.reranker_model is None:
            return None
        loading = self.reranker_model.status
        note = "" if loading.state is LoadState.READY else "searches go on without it"
        remote = self._settings.remote_reranker
        return ModelStatus(remote.model if remote else self._settings.reranker, note, loading, host=_seen_by(remote))

    def _status(self, loading: Loading[LanguageModel], setting: str) -> ModelStatus:
        model, status, remote = loading.get(), loading.status, remote_model(setting)
        name = model.info.name if model else self._store.choose_answer_model(setting) or ""
        coming = status.progress if status.state is LoadState.DOWNLOADING else None
        note = f"{coming.label} is being fetched" if coming else self._store.describe_choice(setting or name)
        info = model.info if model else None
        return ModelStatus(remote.model if remote else name, note, status, info, _seen_by(remote))


def _seen_by(remote: RemoteModel | None) -> str:
    """The machine that sees what a model is asked; empty: this one."""
    return remote.host if remote and remote.is_elsewhere else ""

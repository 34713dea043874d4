"""Which engine answers a question: `role_for` decides, `Route` is the way of one question.

What is to stay on this machine never goes to an engine elsewhere: a question whose passages hold such a document is
answered by an engine here, or without it, or not at all; and earlier answers, which may quote it, are not told.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace
from typing import Literal

from kb.answering.engines.models import Models
from kb.answering.engines.roles import LargeWithSmall, side_by_side
from kb.answering.sources.retrieval import RetrievalResult
from kb.answering.understanding.form import Form
from kb.answering.understanding.thinking import is_plain
from kb.errors import InvalidRequest, ModelUnreachable
from kb.models.loading import Loading, LoadState
from kb.models.remote import remote_model
from kb.ports import LanguageModel, Restartable
from kb.settings import Settings
from kb.values.answers import AnswerEvent, Done, Routing
from kb.values.passages import Passage

Role = Literal["small", "large"]
HEARTBEAT_SECONDS = 0.5


def role_for(
    routing: Routing,
    form: Form,
    parts: int,
    evidence: float,
    *,
    must_stay: bool,
    here: Sequence[Role],
) -> Role | None:
    """Decides which engine answers.

    Args:
        routing: What the user wants.
        form: What form the answer should have.
        parts: How many things the question asks.
        evidence: How likely the passages hold the answer, in 0…1.
        must_stay: Whether a passage is to stay on this machine.
        here: The engines that are on this machine.

    Returns:
        None: none that may see the passages.
    """
    wanted: Role = routing if routing != "auto" else "small" if is_plain(form, parts, evidence) else "large"
    if not must_stay or wanted in here:
        return wanted
    return here[0] if here else None


class Route:
    """The way of one question to an engine.

    Args:
        must_stay: Says of a passage whether it is to stay on this machine.
    """

    def __init__(
        self, settings: Settings, models: Models, must_stay: Callable[[Passage], bool], form: Form, parts: int
    ) -> None:
        self._settings = settings
        self._models = models
        self._must_stay = must_stay
        self._form = form
        self._parts = parts
        self._role: Role = "large"
        self._kept_here = 0
        self._has_retried = False
        self._pair: LargeWithSmall | None = None

    def admit(
        self, found: RetrievalResult, evidence: Callable[[Sequence[Passage]], tuple[float, ...]]
    ) -> RetrievalResult:
        """Decides which engine answers, and what of the passages it may see.

        Args:
            evidence: Weighs some of the passages.
        """
        staying = [passage for passage in found.passages if self._must_stay(passage)]
        role = role_for(
            self._settings.routing if self._models.small_model else "large",
            self._form,
            self._parts,
            max(found.evidence, default=0.0),
            must_stay=bool(staying),
            here=engines_here(self._settings),
        )
        if role is not None:
            self._role = role
            return found
        self._kept_here = len(staying)
        others = [passage for passage in found.passages if passage not in staying]
        left = tuple(replace(passage, number=n) for n, passage in enumerate(others, start=1))
        weighed = evidence(left)
        if max(weighed, default=0.0) >= self._settings.min_evidence and left:
            return RetrievalResult(left, weighed)
        return RetrievalResult((), weighed, "local_only")

    def admit_talk(self, *, may_quote_what_must_stay: bool) -> None:
        """Decides which engine talks without documents; what was said before may quote them.

        Raises:
            InvalidRequest: None may hear it.
        """
        here = engines_here(self._settings)
        wanted: Routing = "small" if self._settings.routing == "small" and self._models.small_model else "large"
        role = role_for(wanted, self._form, 1, 0.0, must_stay=may_quote_what_must_stay, here=here)
        if role is None:
            raise InvalidRequest(
                "a conversation may quote documents that are to stay on this machine (KB_LOCAL_ONLY)",
                "set KB_SMALL_MODEL to a model on this machine, or ask the documents instead",
            )
        self._role = role

    def model(self) -> LanguageModel | None:
        """The engine, or None after a moment while it loads; to be called when passages are admitted."""
        small = self._models.small_model
        if small is None:
            return self._ready(self._models.answering_model)
        if self._role == "small":
            return self._ready(small)
        stands_in = self._settings.fallback == "on"
        try:
            large = self._ready(self._models.answering_model)
        except ModelUnreachable as error:
            if not stands_in:
                raise
            if (instead := self._ready(small)) is None:
                return None
            self._pair = side_by_side(instead, instead, stands_in=False)
            self._pair.instead = error.message
            return instead
        if large is None or (beside := self._ready(small)) is None:
            return None
        self._pair = side_by_side(large, beside, stands_in=stands_in)
        return self._pair

    def at_hand(self) -> LanguageModel | None:
        """The engine if it is loaded and answers alone; nothing is waited for, and nobody is called."""
        if self._role == "small" and self._models.small_model:
            return self._models.small_model.get()
        return None if self._models.small_model else self._models.answering_model.get()

    def declared(self, events: Generator[AnswerEvent, None, None]) -> Generator[AnswerEvent, None, None]:
        """The events of the answer, which says at its end what was kept here, and who answered in whose place."""
        try:
            for event in events:
                if isinstance(event, Done):
                    left_out = replace(event.answer.left_out, kept_here=self._kept_here)
                    instead = self._pair.instead if self._pair else ""
                    event = Done(replace(event.answer, left_out=left_out, instead=instead))
                yield event
        finally:
            events.close()

    def _ready(self, loading: Loading[LanguageModel]) -> LanguageModel | None:
        if isinstance(loading.status.error, ModelUnreachable) and not self._has_retried:
            self._has_retried = True  # a server may be back by now
            loading.start()
        return ready(loading)


def ready(loading: Loading[LanguageModel]) -> LanguageModel | None:
    """A model that can answer now, or None after a moment while it loads.

    Raises:
        ModelError: It is missing or does not load, or is being fetched.
    """
    if loading.status.state is LoadState.DOWNLOADING:
        return loading.require(0)
    model = loading.wait(HEARTBEAT_SECONDS)
    if model is None or (isinstance(model, Restartable) and not model.ready(HEARTBEAT_SECONDS)):
        return None
    return model


def engines_here(settings: Settings) -> list[Role]:
    """The engines on this machine, the large one first."""
    names: dict[Role, str] = {"large": settings.model}
    if settings.small_model:
        names["small"] = settings.small_model
    remote = {role: remote_model(name) for role, name in names.items()}
    return [role for role in names if not ((found := remote[role]) and found.is_elsewhere)]

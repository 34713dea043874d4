"""Tries out a new answering model by itself, while nobody asks: how it runs fastest, and whether it can judge."""

import logging
import threading
from collections.abc import Callable, Iterator

from kb.answering.engines.calibrating import calibrate, labelled_for_fitting
from kb.answering.engines.calibrations import Calibrations
from kb.errors import KBError
from kb.judging.labelled import LabelledLook
from kb.models.loading import Loading
from kb.ports import LanguageModel, Looker, Measured
from kb.values.progress import Progress

logger = logging.getLogger(__name__)

MOST_MEASUREMENTS = 3
"""On a machine that is never at rest, the model runs as the last of them says."""

_POLL_SECONDS = 1.0


class _Closing(Exception):
    pass


class IdleCalibration:
    """Waits for the answering model, and calibrates it if that was not done before, one look after the other.

    What other work disturbed when the model was measured, at a first start for example, is measured again before.

    One that does not show its probabilities is left to `kb calibrate`: each look costs a reply, which may cost money.

    Args:
        model: The answering model, as far as it is.
        calibrations: Where to find and keep its calibration.
    """

    def __init__(self, model: Loading[LanguageModel], calibrations: Calibrations) -> None:
        self._model = model
        self._calibrations = calibrations
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self.progress: Progress | None = None

    def start(self, is_idle: Callable[[], bool]) -> None:
        """Begins, in a thread of its own; once is enough.

        Args:
            is_idle: Whether nobody waits for the machine now; asked before each look.
        """
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, args=(is_idle,), name="calibration", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stops; a look that is under way ends with the model."""
        self._closing.set()

    def _run(self, is_idle: Callable[[], bool]) -> None:
        try:
            model = self._ready_model()
            self._measure_again(model, is_idle)
            if isinstance(model, Looker) and self._calibrations.find(model.info) is None:
                logger.info("the model is new here: when nobody asks, it is tried out as a judge of its answers")
                calibration = calibrate(model, self._one_by_one(labelled_for_fitting(), is_idle))
                self._calibrations.keep(calibration)
                found = "it judges its answers" if calibration.can_judge_statements else "it is no judge of its answers"
                logger.info("the model has been tried out: %s", found)
        except _Closing:
            pass
        except KBError as error:
            logger.warning("the model could not be tried out as a judge (%s): its answers are not judged", error)
        finally:
            self.progress = None

    def _ready_model(self) -> LanguageModel:
        while True:
            try:
                if model := self._model.get():
                    return model
            except KBError:  # it is told to whoever asks
                pass
            self._pause()

    def _measure_again(self, model: LanguageModel, is_idle: Callable[[], bool]) -> None:
        if not isinstance(model, Measured):
            return
        for _ in range(MOST_MEASUREMENTS):
            self._wait_until(is_idle)
            if model.measure_again(is_idle):
                break

    def _one_by_one(self, labelled: list[LabelledLook], is_idle: Callable[[], bool]) -> Iterator[LabelledLook]:
        for done, each in enumerate(labelled):
            self.progress = Progress("calibration", done, len(labelled), "looks")
            self._wait_until(is_idle)
            yield each

    def _wait_until(self, is_idle: Callable[[], bool]) -> None:
        while not is_idle():
            self._pause()
        if self._closing.is_set():
            raise _Closing

    def _pause(self) -> None:
        if self._closing.wait(_POLL_SECONDS):
            raise _Closing

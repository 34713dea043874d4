import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from kb.answering.engines import idle_calibration
from kb.answering.engines.calibrations import Calibrations
from kb.answering.engines.idle_calibration import MOST_MEASUREMENTS, IdleCalibration
from kb.errors import ModelLoadError
from kb.judging.labelled import LabelledLook, shipped_looks
from kb.models.loading import Loading
from kb.ports import LanguageModel
from kb.values.progress import Progress
from tests.fakes import CALIBRATION, FakeEngine, FakeLanguageModel


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle_calibration, "_POLL_SECONDS", 0.01)
    monkeypatch.setattr(idle_calibration, "labelled_for_fitting", some_looks)


def some_looks() -> list[LabelledLook]:
    return [each for each in shipped_looks() if each.kind == "sentence"][:20]


def loaded(model: LanguageModel) -> Loading[LanguageModel]:
    loading = Loading("answering model", lambda report: model)
    loading.start()
    assert loading.wait(20)
    return loading


def until(holds: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_new_model_is_calibrated_and_kept(tmp_path: Path) -> None:
    calibrations = Calibrations(tmp_path)
    model = FakeLanguageModel()
    idle = IdleCalibration(loaded(model), calibrations)
    idle.start(lambda: True)
    until(lambda: calibrations.find(model.info))
    until(lambda: idle.progress is None)
    found = Calibrations(tmp_path).find(model.info)
    assert found
    assert not found.can_judge_statements, "a model that sees no difference is no judge"
    idle.close()


def test_known_model_is_left_alone(tmp_path: Path) -> None:
    calibrations = Calibrations(tmp_path)
    calibrations.keep(CALIBRATION)
    idle = IdleCalibration(loaded(FakeLanguageModel()), calibrations)
    asked = threading.Event()
    idle.start(lambda: not asked.set())
    assert idle._thread
    idle._thread.join(20)
    assert not asked.is_set()
    assert calibrations.find(FakeLanguageModel().info) == CALIBRATION


def test_while_somebody_asks_no_look_is_taken_and_then_it_goes_on(tmp_path: Path) -> None:
    calibrations = Calibrations(tmp_path)
    model = FakeLanguageModel()
    asked, is_idle = threading.Event(), threading.Event()

    def look() -> bool:
        asked.set()
        return is_idle.is_set()

    idle = IdleCalibration(loaded(model), calibrations)
    idle.start(look)
    assert asked.wait(20)
    assert idle.progress == Progress("calibration", 0, 20, "looks")
    assert calibrations.find(model.info) is None
    is_idle.set()
    until(lambda: calibrations.find(model.info))


def test_closing_ends_it_without_a_trace(tmp_path: Path) -> None:
    calibrations = Calibrations(tmp_path)
    idle = IdleCalibration(loaded(FakeLanguageModel()), calibrations)
    idle.start(lambda: False)
    until(lambda: idle.progress)
    idle.close()
    assert idle._thread
    idle._thread.join(20)
    assert not idle._thread.is_alive()
    assert (idle.progress, list(tmp_path.iterdir())) == (None, [])


@pytest.mark.parametrize("kind", ["without probabilities", "missing"])
def test_model_that_cannot_be_tried_out_is_no_trouble(kind: str, tmp_path: Path) -> None:
    def missing(report: object) -> LanguageModel:
        raise ModelLoadError("no model", "fetch one")

    if kind == "missing":
        loading: Loading[LanguageModel] = Loading("answering model", missing)
        loading.start()
    else:
        loading = loaded(FakeEngine())
    idle = IdleCalibration(loading, Calibrations(tmp_path))
    idle.start(lambda: True)
    assert idle._thread
    if kind == "missing":
        time.sleep(0.1)
        assert idle._thread.is_alive(), "it may still come"
    idle.close()
    idle._thread.join(20)
    assert not idle._thread.is_alive()


class DisturbedModel(FakeEngine):
    """Was measured while others worked."""

    def __init__(self, measurements: int) -> None:
        super().__init__()
        self.needed = measurements
        self.measured = 0

    def measure_again(self, is_idle: Callable[[], bool]) -> bool:
        assert is_idle()
        self.measured += 1
        return self.measured >= self.needed


@pytest.mark.parametrize(("needed", "measured"), [(1, 1), (2, 2), (100, MOST_MEASUREMENTS)])
def test_disturbed_model_is_measured_again_in_idle_time(tmp_path: Path, needed: int, measured: int) -> None:
    model, may_begin = DisturbedModel(needed), threading.Event()
    idle = IdleCalibration(loaded(model), Calibrations(tmp_path))
    idle.start(may_begin.is_set)
    assert model.measured == 0
    may_begin.set()
    assert idle._thread
    idle._thread.join(20)
    assert model.measured == measured

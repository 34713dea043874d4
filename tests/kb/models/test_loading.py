import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from kb.errors import KBError, ModelBusy, ModelError, ModelLoadError, ModelMissing, StorageError
from kb.models.loading import Loading, LoadState
from kb.values.progress import Progress, Report

PATIENCE_SECONDS = 10.0


class Thing:
    """Something to load."""

    def __init__(self) -> None:
        self.closed = threading.Event()

    def close(self) -> None:
        self.closed.set()


class Loader:
    """Loads things when it is told to."""

    def __init__(self) -> None:
        self.times = 0
        self.begun = threading.Event()
        self.goes_on = threading.Event()
        self.report: Report = lambda progress: None
        self.fails: KBError | None = None
        self.thing = Thing()

    def __call__(self, report: Report) -> Thing:
        self.times += 1
        self.report = report
        self.begun.set()
        assert self.goes_on.wait(PATIENCE_SECONDS)
        if self.fails:
            raise self.fails
        return self.thing


@pytest.fixture
def loader() -> Loader:
    return Loader()


@pytest.fixture
def loading(loader: Loader) -> Loading[Thing]:
    return Loading("thing", loader)


def seconds_of(work: Callable[[], object]) -> float:
    started = time.monotonic()
    work()
    return time.monotonic() - started


def test_nothing_is_loaded_until_somebody_needs_it(loading: Loading[Thing], loader: Loader) -> None:
    assert loading.status.state is LoadState.WAITING
    assert loading.get() is None
    assert loader.times == 0


def test_whoever_waits_gets_what_is_loaded_once_for_all(loading: Loading[Thing], loader: Loader) -> None:
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(loading.wait) for _ in range(3)] + [pool.submit(loading.require, PATIENCE_SECONDS)]
        assert loader.begun.wait(PATIENCE_SECONDS)
        assert loading.status.state is LoadState.LOADING
        loading.start()
        loader.goes_on.set()
        assert all(future.result() is loader.thing for future in waiting)
    loading.start()
    assert loading.get() is loading.wait() is loader.thing
    assert (loading.status.state, loader.times) == (LoadState.READY, 1)


def test_wait_ends_with_nothing_when_its_time_is_over(loading: Loading[Thing], loader: Loader) -> None:
    assert loading.wait(0.01) is None
    loader.goes_on.set()
    assert loading.wait(PATIENCE_SECONDS) is loader.thing


def test_who_will_not_wait_longer_is_told_that_it_is_not_ready(loading: Loading[Thing], loader: Loader) -> None:
    with pytest.raises(ModelMissing, match="not ready yet: loading"):
        loading.require(0.01)
    loader.goes_on.set()


def test_failure_is_kept_for_everyone_until_it_is_tried_again(loading: Loading[Thing], loader: Loader) -> None:
    loader.fails = ModelLoadError("it is broken")
    loader.goes_on.set()
    for _ in range(2):
        with pytest.raises(ModelLoadError, match="it is broken"):
            loading.wait()
        with pytest.raises(ModelLoadError, match="it is broken"):
            loading.require(PATIENCE_SECONDS)
    assert (loading.status.state, loading.status.error, loader.times) == (LoadState.FAILED, loader.fails, 1)
    loader.fails = None
    loading.start()
    assert loading.wait() is loader.thing
    assert (loading.status.error, loader.times) == (None, 2)


def test_failure_keeps_nothing_of_those_who_were_told(loading: Loading[Thing], loader: Loader) -> None:
    loader.fails = ModelBusy("it is broken", "mend it", retry_after_seconds=7)
    loader.goes_on.set()

    def ask() -> tuple[int, weakref.ref[Thing]]:
        question = Thing()
        with pytest.raises(ModelBusy, match="it is broken") as caught:
            loading.wait()
        assert (caught.value.hint, caught.value.retry_after_seconds) == ("mend it", 7)
        return len(caught.traceback), weakref.ref(question)

    asked = [ask() for _ in range(100)]
    gc.collect()
    assert len({length for length, _ in asked}) == 1
    assert not any(question() for _, question in asked)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_error_that_nobody_foresaw_is_a_failure_too() -> None:
    def load(_: Report) -> Thing:
        raise ZeroDivisionError

    loading = Loading("thing", load)
    with pytest.raises(ModelError, match="the thing could not be loaded"):
        loading.wait(PATIENCE_SECONDS)
    assert loading.status.state is LoadState.FAILED
    for thread in threading.enumerate():
        if thread.name == "load-thing":
            thread.join()  # its report belongs to this test


def test_progress_shows_in_the_status(loading: Loading[Thing], loader: Loader) -> None:
    loading.start()
    assert loader.begun.wait(PATIENCE_SECONDS)
    loader.report(Progress("thing", 25, 100))
    assert loading.status.state is LoadState.DOWNLOADING
    assert loading.status.progress == Progress("thing", 25, 100)
    loader.report(Progress("thing", 100, 100))
    assert loading.status.state is LoadState.LOADING
    loader.goes_on.set()
    loading.wait()
    assert loading.status.progress is None


def test_download_is_not_waited_for(loading: Loading[Thing], loader: Loader) -> None:
    loading.start()
    assert loader.begun.wait(PATIENCE_SECONDS)
    loader.report(Progress("thing", 25, 100))
    with pytest.raises(ModelMissing, match="downloading, 25 %") as caught:
        loading.require(PATIENCE_SECONDS)
    assert "kb status" in caught.value.hint
    loader.goes_on.set()


def test_download_that_begins_while_somebody_waits_is_not_waited_for(loading: Loading[Thing], loader: Loader) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(loading.require, PATIENCE_SECONDS)
        assert loader.begun.wait(PATIENCE_SECONDS)
        loader.report(Progress("thing", 0, None))
        assert seconds_of(waiting.exception) < PATIENCE_SECONDS / 2
        assert isinstance(waiting.exception(), ModelMissing)
    loader.goes_on.set()


def test_closing_closes_what_was_loaded(loading: Loading[Thing], loader: Loader) -> None:
    loader.goes_on.set()
    loading.wait()
    loading.close()
    loading.close()
    assert loader.thing.closed.is_set()
    assert loading.get() is None
    with pytest.raises(ModelError, match="the thing is closed"):
        loading.require(PATIENCE_SECONDS)


def test_closing_before_anything_was_loaded_prevents_it(loading: Loading[Thing], loader: Loader) -> None:
    loading.close()
    loading.start()
    with pytest.raises(ModelError, match="the thing is closed"):
        loading.wait(PATIENCE_SECONDS)
    assert loader.times == 0


def test_what_comes_after_closing_is_closed_and_who_waits_for_it_is_told_at_once(
    loading: Loading[Thing], loader: Loader
) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(loading.require, PATIENCE_SECONDS)
        assert loader.begun.wait(PATIENCE_SECONDS)
        loading.close()
        with pytest.raises(ModelError, match="the thing is closed"):
            waiting.result(PATIENCE_SECONDS / 2)
    assert not loader.thing.closed.is_set()
    loader.goes_on.set()
    assert loader.thing.closed.wait(PATIENCE_SECONDS)
    assert loading.get() is None


def test_closing_breaks_off_a_download(loading: Loading[Thing], loader: Loader) -> None:
    loading.start()
    assert loader.begun.wait(PATIENCE_SECONDS)
    loading.close()
    with pytest.raises(ModelError, match="the thing is closed"):
        loader.report(Progress("thing", 25, 100))
    loader.goes_on.set()


def test_what_a_full_disk_has_stopped_is_tried_again_by_itself(
    loading: Loading[Thing], loader: Loader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kb.models.loading.RETRY_SECONDS", 0.01)
    loader.fails = StorageError("the disk is full", "free some space")
    loading.start()
    assert loader.begun.wait(PATIENCE_SECONDS)
    loader.goes_on.set()
    while loader.times < 3:
        loader.begun.clear()
        assert loader.begun.wait(PATIENCE_SECONDS)
    loader.fails = None
    while loading.get() is None:
        time.sleep(0.01)

import threading

from kb.processor import Quiet

PATIENCE_SECONDS = 10.0


def test_work_waits_for_as_long_as_something_is_measured() -> None:
    quiet = Quiet()
    assert quiet.wait(0)
    done = threading.Event()

    def work() -> None:
        assert quiet.wait(PATIENCE_SECONDS)
        done.set()

    with quiet.kept():
        with quiet.kept():
            worker = threading.Thread(target=work)
            worker.start()
        assert not quiet.wait(0.05)
        assert not done.is_set()
    worker.join(PATIENCE_SECONDS)
    assert done.is_set()

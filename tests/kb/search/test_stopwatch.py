import threading
import time

import pytest

from kb.search.stopwatch import measured, part


def test_seconds_of_a_part_add_up_and_what_is_no_part_is_left_out() -> None:
    with measured() as seconds:
        for _ in range(2):
            with part("dense"):
                time.sleep(0.01)
        time.sleep(0.01)
        with part("lexical"):
            pass
    assert 0.02 <= seconds["dense"] < 10
    assert 0 <= seconds["lexical"] < seconds["dense"]
    assert list(seconds) == ["dense", "lexical"]


def test_part_that_fails_is_counted_too() -> None:
    with measured() as seconds, pytest.raises(ValueError, match="x"), part("dense"):
        raise ValueError("x")
    assert "dense" in seconds


def test_nothing_is_measured_outside_nor_in_other_threads() -> None:
    def elsewhere() -> None:
        with part("other"):
            pass

    with measured() as seconds:
        thread = threading.Thread(target=elsewhere)
        thread.start()
        thread.join()
    with part("after"):
        pass
    assert seconds == {}
    with measured() as again:
        pass
    assert again == {}

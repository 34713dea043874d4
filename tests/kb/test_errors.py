"""The tree that is drawn at the top of `kb.errors` is the tree of its classes."""

import inspect
import re
from collections import Counter

import kb.errors
from kb.errors import KBError, ModelBusy

CLASSES = [kind for _, kind in inspect.getmembers(kb.errors, inspect.isclass)]


def drawn_parents() -> dict[str, str | None]:
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (kb.errors.__doc__ or "").splitlines():
        if match := re.match(r"([│├└─ ]*)([A-Z]\w+)(?:  |$)", line):
            depth = len(match[1]) // 4
            parents[match[2]] = path[depth - 1] if depth else None
            path[depth:] = [match[2]]
    return parents


def test_drawn_tree_is_the_real_one() -> None:
    real = {kind.__name__: None if kind is KBError else kind.__base__.__name__ for kind in CLASSES if kind.__base__}
    assert drawn_parents() == real


def test_every_error_has_a_code_of_its_own() -> None:
    assert all("code" in vars(kind) for kind in CLASSES)
    assert max(Counter(kind.code for kind in CLASSES).values()) == 1


def test_error_reads_as_its_message_and_keeps_the_hint_apart() -> None:
    error = KBError("it failed", "try again")
    assert (str(error), error.message, error.hint) == ("it failed", "it failed", "try again")
    assert KBError("it failed").hint == ""


def test_busy_says_when_to_come_back() -> None:
    assert ModelBusy("full").retry_after_seconds > 0
    assert ModelBusy("full", retry_after_seconds=3).retry_after_seconds == 3


def test_error_that_is_raised_again_is_the_same_without_its_past() -> None:
    try:
        raise ModelBusy("full", "wait", retry_after_seconds=3) from ValueError("cause")
    except ModelBusy as error:
        again = error.again()
    assert type(again) is ModelBusy
    assert (str(again), again.message, again.hint, again.retry_after_seconds) == ("full", "full", "wait", 3)
    assert (again.__traceback__, again.__cause__, again.__context__) == (None, None, None)

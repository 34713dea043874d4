"""A tiny model in a child process: what is asked of it, and what is seen of it."""

import signal
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

import psutil

from kb.adapters.llama.process import LlamaProcess
from kb.values.chat import Delta, Generated, GenerationOptions, Message
from tests.harness import PATIENCE_SECONDS, eventually

QUESTION = [Message("user", "Why?")]
LONG_QUESTION = [Message("user", "Why? " * 1200)]
ENDLESS = [f" word{number}" for number in range(200)]
LONG = GenerationOptions(answer_tokens=8000)
STOP_SECONDS = 2.0
"""What is promised: how soon nothing is computed any more for a client that is gone."""
Start = Callable[..., LlamaProcess]
T = TypeVar("T", bound=Generated)


def children() -> list[psutil.Process]:
    return [child for child in psutil.Process().children() if is_ours(child)]


def is_ours(child: psutil.Process) -> bool:
    try:
        return "kb.adapters.llama.main" in child.cmdline()
    except psutil.NoSuchProcess:  # or a zombie
        return False


def kill_child(sent: signal.Signals = signal.SIGKILL) -> None:
    """Ends the child, and waits until its parent has seen that, and has told all who wait."""
    (child,) = children()
    assert eventually(readers)
    listening = readers()
    child.send_signal(sent)
    for reader in listening:
        reader.join(PATIENCE_SECONDS)
        assert not reader.is_alive()


def readers() -> list[threading.Thread]:
    """The threads that listen to a child."""
    return [thread for thread in threading.enumerate() if thread.name == "kb-llm-replies" and thread.is_alive()]


def is_idle(process: psutil.Process) -> bool:
    before = sum(process.cpu_times()[:2])
    time.sleep(0.1)
    return sum(process.cpu_times()[:2]) - before < 0.02


def words_of(items: list[Generated]) -> list[str]:
    return "".join(item.text for item in items if isinstance(item, Delta)).split()


def until(wanted: type[T], stream: Iterator[Generated]) -> T:
    """Reads on until such an item comes."""
    return next(item for item in stream if isinstance(item, wanted))


def answer(model: LlamaProcess, words: int = 5) -> list[str]:
    return words_of(list(model.stream(QUESTION, GenerationOptions(answer_tokens=words))))


def expected(words: int) -> list[str]:
    return [f"word{number % 200}" for number in range(words)]

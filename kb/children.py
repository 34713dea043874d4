"""The one way to start, limit, watch and end a child process of this project.

A child runs a module, of this project or of an installed package, whatever the working directory holds; of the
environment it gets what it needs to compute, so that no token or key of anything reaches it; and it does not hear what
is typed in the terminal. Knows nothing of what it does.
"""

import contextlib
import math
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import IO, BinaryIO, NoReturn

from kb.errors import KBError

Child = subprocess.Popen[bytes]

_ROOT = Path(__file__).resolve().parents[1]
# Where things are, how text is written, and what llama.cpp, torch and OpenMP compute with. Whoever sets LD_PRELOAD has
# this process as it is.
_PASSED = re.compile(
    "PATH|HOME|USERPROFILE|(LOCAL)?APPDATA|SYSTEMROOT|TMPDIR|TEMP|TMP|LANG|LC_[A-Z]+|TZ|PYTHONDONTWRITEBYTECODE"
    "|(LD|DYLD)_(LIBRARY_PATH|PRELOAD|INSERT_LIBRARIES)|XDG_(CACHE|CONFIG)_HOME"
    r"|(OMP|GOMP|KMP|MKL|OPENBLAS|GGML|CUDA|NVIDIA|HIP|ROCR|HSA|ONEAPI|SYCL|ZE|VK)_\w+",
    re.ASCII,
)
_POLL_SECONDS = 0.1


class ChildNotStarted(KBError):
    """The system cannot start a process."""

    code = "child_not_started"


def start(
    module: str,
    *arguments: str,
    has_pipes: bool = False,
    output: IO[bytes] | None = None,
    folder: Path | None = None,
    environment: Mapping[str, str] = MappingProxyType({}),
) -> Child:
    """Starts `python -m module` with arguments.

    Args:
        has_pipes: Whether it has pipes for standard input and output; else it has nothing to read.
        output: Takes what it prints and nobody reads from a pipe; None: that is lost.
        folder: Its working directory; None: that of our own code, where libraries look for plug-ins and settings.
        environment: Variables that it needs beside those that every child gets.

    Raises:
        ChildNotStarted: The system refuses.
    """
    variables = {name: value for name, value in os.environ.items() if _PASSED.fullmatch(name)} | dict(environment)
    printed = output or subprocess.DEVNULL
    try:
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module, *arguments],
            stdin=subprocess.PIPE if has_pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if has_pipes else printed,
            stderr=printed,
            cwd=folder or _ROOT,
            env=variables | {"PYTHONPATH": str(_ROOT), "PYTHONUTF8": "1", "HF_HUB_OFFLINE": "1"},
            start_new_session=True,  # so that Ctrl-C in the terminal is for the parent alone
        )
    except OSError as error:
        raise ChildNotStarted(
            f"no process can be started: {error.strerror}", "free some memory, or end other programs"
        ) from error


def wait(child: Child, seconds: float) -> int | None:
    """Waits until a child ends; its exit status, or None if the time was up before."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        return child.wait(seconds)
    return None


def watch(child: Child, seconds: float = math.inf, look: Callable[[], None] = lambda: None) -> int | None:
    """Waits until a child ends, and looks after it meanwhile; it has ended in any case when this returns or raises.

    Args:
        seconds: How long it may take; then it is ended.
        look: Called some ten times a second; what it raises ends the child.

    Returns:
        Its exit status; None if it took too long.
    """
    deadline = time.monotonic() + seconds
    status = None
    try:
        while status is None and time.monotonic() < deadline:
            look()
            status = wait(child, min(_POLL_SECONDS, seconds))
        return status
    finally:
        end(child)


def exchange(child: Child, request: bytes, seconds: float) -> tuple[bytes, int | None]:
    """Has a child with pipes read something and waits until it ends, or ends it.

    Args:
        seconds: How long it may take.

    Returns:
        What it said, and its exit status; None if it took too long.
    """
    try:
        return child.communicate(request, seconds)[0], child.returncode
    except subprocess.TimeoutExpired:
        return b"", None
    finally:
        end(child)


def end(child: Child) -> int:
    """Ends a child at once, if it still runs, and closes the pipes to it; its exit status."""
    child.kill()
    status = child.wait()
    for pipe in (child.stdin, child.stdout):
        # What was not yet sent goes to a child that is gone.
        with contextlib.suppress(OSError):
            pipe.close() if pipe else None
    return status


def was_killed(status: int) -> bool:
    """Whether an exit status is that of a process that was killed: nobody but the system does so to a child of ours."""
    return _signal_name(status) == "SIGKILL"


def describe_end(status: int) -> str:
    """How a child came to its end that nobody here ended, as what follows its name in a sentence."""
    if was_killed(status):
        return "was killed, probably for want of memory"
    return f"crashed ({_signal_name(status)})" if status < 0 else f"ended with exit status {status}"


def take_standard_streams() -> tuple[BinaryIO, BinaryIO]:
    """In a child with pipes: keeps the pipes for the caller.

    What a library prints goes to standard error from now on, and it has nothing to read.
    """
    source, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    return source, replies


def answer_parent(source: BinaryIO, begin: Callable[[bytes], object], answer: Callable[[bytes], object]) -> NoReturn:
    """In a child with pipes: answers line after line, and ends with the parent, or where something is not foreseen.

    Args:
        begin: Is given the first line.
        answer: Is given each of the others.
    """
    threading.excepthook = lambda _: os._exit(1)
    status = 1
    try:
        begin(source.readline())
        for line in source:
            answer(line)
        status = 0
    finally:
        os._exit(status)  # at once: other threads may be in the midst of something, or native code hang


def forbid_core_dumps() -> None:
    """In a child: sees to it that a crash does not leave on the disk what it was working on."""
    if sys.platform != "win32":
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _signal_name(status: int) -> str:
    return signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"

"""What this machine computes with: which processor, how many cores, which graphics processor; and how it is kept free.

Imports torch only where the answer may be yes.
"""

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import psutil

_DEVICES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # NVIDIA, AMD, and either under WSL
_BACKEND = re.compile(r"ggml-(?!base)([a-z]+)")


class Quiet:
    """Keeps the processor free for a measurement: work that can wait waits. Safe for use by several threads."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._measuring = 0

    @contextlib.contextmanager
    def kept(self) -> Iterator[None]:
        """Measures in the block."""
        with self._lock:
            self._measuring += 1
        try:
            yield
        finally:
            with self._lock:
                self._measuring -= 1
                self._lock.notify_all()

    def wait(self, timeout_seconds: float) -> bool:
        """Waits while something is measured.

        Returns:
            Whether nothing is.
        """
        with self._lock:
            return self._lock.wait_for(lambda: not self._measuring, timeout_seconds)


def usable_cores() -> int:
    """Physical cores that this process may use; two busy threads on one core are slower than one."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(psutil.cpu_count(logical=False) or allowed, allowed)


def has_accelerator() -> bool:
    """Whether torch can use a graphics processor here."""
    if importlib.metadata.version("torch").endswith("+cpu"):
        return False
    if sys.platform == "linux" and not any(Path(device).exists() for device in _DEVICES):
        return False
    if sys.platform == "darwin" and platform.machine() != "arm64":
        return False
    import torch

    return torch.cuda.is_available() or torch.backends.mps.is_available()


def describe_engine() -> str:
    """What decides how fast llama.cpp runs here: processor, usable cores, its version and backends, and GPUs.

    Nothing is loaded for it: llama.cpp's backends are told from its files.
    """
    version = importlib.metadata.version("llama-cpp-python")
    spec = importlib.util.find_spec("llama_cpp")
    folder = Path(spec.origin).parent / "lib" if spec and spec.origin else Path()
    backends = sorted({match[1] for file in folder.glob("*ggml-*") if (match := _BACKEND.search(file.name))})
    parts = [_processor_name(), f"{usable_cores()} cores", f"llama-cpp-python {version} ({', '.join(backends)})"]
    return "; ".join([*parts, *_graphics_processors()])


def _processor_name() -> str:
    with contextlib.suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        if found:
            return found[1]
    return platform.processor() or platform.machine()


def _graphics_processors() -> list[str]:
    """Names as the drivers tell them in Linux; elsewhere, processor and backend have to do."""
    found = []
    for file in sorted(Path("/proc/driver/nvidia/gpus").glob("*/information")):
        with contextlib.suppress(OSError):
            found += re.findall(r"^Model:\s*(.+)$", file.read_text(), re.MULTILINE)
    for file in sorted(Path("/sys/class/drm").glob("card?/device/uevent")):
        with contextlib.suppress(OSError):
            found += re.findall(r"^PCI_ID=(.+)$", file.read_text(), re.MULTILINE)
    return found

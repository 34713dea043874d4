"""What this machine computes with: how many cores, and whether torch can use a graphics processor.

Imports torch only where the answer may be yes.
"""

import importlib.metadata
import os
import platform
import sys
from pathlib import Path

import psutil

_DEVICES = ("/dev/nvidia0", "/dev/nvidiactl", "/dev/kfd", "/dev/dxg")  # NVIDIA, AMD, and either under WSL


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

"""Runs code without root's power to read what nobody may read, so that `chmod 000` means something to root too."""

import ctypes
import os
import sys
import threading
from collections.abc import Callable

_DAC_OVERRIDE, _DAC_READ_SEARCH = 1, 2
_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Sets(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def run_without_privileges(work: Callable[[bool], None]) -> None:
    """Runs something in a thread that may read no more than its user was given, and so do the threads it starts.

    Capabilities are a thread's own on Linux, so the rest of the process keeps them.

    Args:
        work: Is told whether taking permissions away has an effect.
    """
    errors: list[BaseException] = []

    def run() -> None:
        try:
            work(os.getuid() != 0 or _drop_capabilities())
        except BaseException as error:  # noqa: BLE001 - it is raised again where the thread is waited for
            errors.append(error)

    thread = threading.Thread(target=run, name="without privileges", daemon=True)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]


def _drop_capabilities() -> bool:
    """Gives up, for this thread, the capabilities that pass over permissions; see capabilities(7)."""
    if sys.platform != "linux":
        return False
    libc = ctypes.CDLL(None, use_errno=True)
    header, sets = _Header(_VERSION_3, 0), (_Sets * 2)()
    if libc.capget(ctypes.byref(header), sets) != 0:
        return False
    kept = ~(1 << _DAC_OVERRIDE | 1 << _DAC_READ_SEARCH) & 0xFFFFFFFF
    for name in ("effective", "permitted", "inheritable"):
        setattr(sets[0], name, getattr(sets[0], name) & kept)
    return bool(libc.capset(ctypes.byref(header), sets) == 0)

"""The library of llama.cpp, loaded once in a process and kept quiet. Sole importer of `llama_cpp`."""

import ctypes
import functools
import logging
import os
from collections import deque
from typing import Any

logger = logging.getLogger(__name__)

_LOG_LEVEL_ERROR = 4  # GGML_LOG_LEVEL_ERROR in ggml.h
# How long a thread of llama.cpp spins before it sleeps while it waits for the others. By default it all but never
# sleeps: beside other busy processes, 2 threads on 2 cores then wrote less than 1 token a second instead of 4 to 6.
_SPIN_COUNT = "2000"


class Native:
    """The library, kept from writing to stderr; its last error messages are kept for ours.

    Attributes:
        knowledge_base: The module `llama_cpp`.
        errors: Cleared before something is tried whose `reason` of failing shall be told.
    """

    def __init__(self) -> None:
        # Read by OpenMP when llama.cpp is loaded.
        os.environ.setdefault("GOMP_SPINCOUNT", _SPIN_COUNT)
        import llama_cpp

        self.knowledge_base: Any = llama_cpp
        self.errors: deque[str] = deque(maxlen=4)
        self._callback = llama_cpp.llama_log_callback(self._log)
        llama_cpp.llama_log_set(self._callback, ctypes.c_void_p())
        llama_cpp.llama_backend_init()

    def reason(self) -> str:
        """What llama.cpp said about the last failure, most telling first."""
        return "; ".join(self.errors) or "llama.cpp gives no reason"

    def _log(self, level: int, text: bytes, _: Any) -> None:
        if level == _LOG_LEVEL_ERROR:
            message = text.decode("utf-8", "replace").strip()
            self.errors.append(message)
            logger.debug("llama.cpp: %s", message)


@functools.cache
def native() -> Native:
    """The only one: llama.cpp has one log for the whole process; a callback that was freed while still set would
    crash it."""
    return Native()

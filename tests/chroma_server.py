"""A real Chroma server on a port of its own, which can be killed, started again, and put over other data."""

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx

PATIENCE_SECONDS = 40.0
_RUN = "from chromadb.cli.cli import app; app()"


class ChromaServerProcess:
    """`chroma run`.

    Args:
        path: Where it keeps its data.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        return self._process is not None

    def start(self, path: Path | None = None) -> None:
        """Starts it, over other data if a path is given."""
        self.path = path or self.path
        where = ["--path", str(self.path), "--host", "127.0.0.1", "--port", str(self.port)]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _RUN, "run", *where],
            env=os.environ | {"ANONYMIZED_TELEMETRY": "False"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", timeout=2).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError("the Chroma server has not started")

    def kill(self) -> None:
        """Kills it, as a power cut would."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None

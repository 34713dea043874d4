"""A service that does not survive some texts; run as `python -m tests.ingest.pipeline.deadly HOME FOLDER`."""

import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from kb.ports import Vectors
from tests.fakes import FakeEmbedder
from tests.harness import quick_settings, watching


class DeadlyEmbedder(FakeEmbedder):
    """Ends the process over some texts."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        self._die(texts, "deadly to be counted")
        return super().count_tokens(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        self._die(texts, "deadly.")
        return super().embed_passages(texts)

    def _die(self, texts: Sequence[str], words: str) -> None:
        if any(words in text for text in texts):
            os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    with watching(quick_settings(Path(sys.argv[1])), Path(sys.argv[2]), embedder=DeadlyEmbedder()) as watched:
        watched.sync()

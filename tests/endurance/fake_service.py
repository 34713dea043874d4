"""The service over fakes, real SQLite and real Chroma: `KB_HOME=… python -m tests.endurance.fake_service FOLDER`."""

import os
import signal
import sys
import time
from collections.abc import Generator, Sequence
from pathlib import Path

from ingest.pipeline.pipeline import Pipeline
from kb.ports import Vectors
from kb.values.chat import Generated, GenerationOptions, Look, Message
from server.http.connections import Limits, connections_allowed
from server.serving import listen, make_server
from tests.endurance.running import OpenStores
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base, quick_settings

TOKEN_SECONDS = 0.01


class SlowModel(FakeLanguageModel):
    """Takes its time, so that clients can leave in the middle of an answer, and does not remember what it was asked."""

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        for generated in super().stream_after_looks(looks, messages, options):
            time.sleep(TOKEN_SECONDS)
            yield generated
        for remembered in (self.asked, self.options, self.finished, self.read):
            remembered.clear()


class ForgetfulEmbedder(FakeEmbedder):
    """Does not remember what it has embedded."""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        vectors = super().embed_passages(texts)
        self.embedded.clear()
        return vectors


def main(folder: Path) -> None:
    """Serves a folder until the process gets SIGTERM."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    settings = quick_settings(Path(os.environ["KB_HOME"]))
    stores = OpenStores(settings.home)
    with (
        open_fake_knowledge_base(
            settings, embedder=ForgetfulEmbedder(), stores=stores, model=SlowModel()
        ) as knowledge_base,
        listen("127.0.0.1", 0) as listener,
    ):
        pipeline = Pipeline(knowledge_base, [folder], settings)
        server = make_server(knowledge_base, pipeline, settings, Limits(connections_allowed()))
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        server.run(sockets=[listener])


if __name__ == "__main__":
    main(Path(sys.argv[1]))

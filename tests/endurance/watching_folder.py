"""The service with an embedding model and none that answers; `python -m tests.endurance.watching_folder HOME FOLDER`.

It says `synced` when the index equals the folder, and goes on until its parent closes the pipe.
"""

import sys
import threading
from pathlib import Path

from ingest.pipeline.pipeline import Pipeline
from kb.settings import load
from kb.wiring import open_knowledge_base
from server.settings import ServerSettings


def _tell(pipeline: Pipeline) -> None:
    if pipeline.sync():
        print("synced", flush=True)


if __name__ == "__main__":
    settings = load(kind=ServerSettings, home=Path(sys.argv[1]))
    with open_knowledge_base(settings) as knowledge_base:
        pipeline = Pipeline(knowledge_base, [Path(sys.argv[2])], settings)
        pipeline.start()
        threading.Thread(target=_tell, args=(pipeline,), daemon=True).start()
        sys.stdin.read()
        pipeline.stop()

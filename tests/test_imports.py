"""What is heavy is imported when it is needed: `kb --help` must not wait for it."""

import subprocess
import sys

HEAVY = {
    "chromadb",
    "huggingface_hub",
    "llama_cpp",
    "mcp",
    "onnxruntime",
    "pypdf",
    "pypdfium2",
    "sentence_transformers",
    "torch",
    "transformers",
    "yaml",
}


MODULES = ("kb.wiring", "ingest.pipeline.pipeline", "server.http.app", "server.cli.main")


def test_importing_loads_nothing_heavy() -> None:
    program = f"import sys, {', '.join(MODULES)}; print(*sys.modules, sep='\\n')"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.split()
    assert set(MODULES) <= set(loaded)
    assert HEAVY.isdisjoint(loaded)

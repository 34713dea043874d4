"""How llama.cpp would run the answering model now, in the words of `kb doctor`: each value, and where it comes from.

Nothing is loaded or measured for it.
"""

from collections.abc import Iterator
from pathlib import Path

from kb.errors import ModelLoadError
from kb.settings import Settings
from kb.wiring import Tuning, recall_tuning
from server.terminal.diagnosis import Diagnosis

_FLASH_ATTENTION = {None: "flash attention as llama.cpp sees fit", True: "flash attention", False: "no flash attention"}


def describe_engine(path: Path, settings: Settings) -> Iterator[Diagnosis]:
    """Says how the model at a path would be run.

    Args:
        path: The GGUF file.
    """
    try:
        tuning = recall_tuning(path, settings)
    except ModelLoadError as error:
        yield Diagnosis("bad", error.message, error.hint)
        return
    if tuning is None:
        text = "how fast the answering model runs on this machine, and how best, is measured when it first loads"
        yield Diagnosis("note", text, "that takes about 10 seconds, once")
        return
    yield Diagnosis("good", _choice(tuning))
    yield Diagnosis("good", _window(tuning))


def _choice(tuning: Tuning) -> str:
    options, known = tuning.options, tuning.measurement
    words = {
        "threads": "1 thread" if options.threads == 1 else f"{options.threads} threads",
        "batch_tokens": f"batches of {options.batch_tokens} tokens",
        "flash_attention": _FLASH_ATTENTION[options.flash_attention],
        "kv_type": f"a context kept as {options.kv_type}",
    }
    if known is None or known.on_gpu:
        layers = "all layers" if options.gpu_layers < 0 else f"{options.gpu_layers} layers"
        words["gpu_layers"] = f"{layers} on the GPU"
    listed = ", ".join(f"{text} ({tuning.sources[name]})" for name, text in words.items())
    if known is None:
        return f"llama.cpp runs it with {listed}"
    speed = (
        f"{known.prompt_tokens_per_second:.0f} tokens/s read and "
        f"{known.generation_tokens_per_second:.0f} written when measured"
    )
    disturbed = " while other processes were busy" if known.disturbed_at else ""
    return f"llama.cpp runs it with {listed}; {speed}{disturbed}"


def _window(tuning: Tuning) -> str:
    tokens, source = tuning.options.context_tokens, tuning.sources["context_tokens"]
    takes = f", of which it takes {tuning.context_bytes / 1e9:.2f} GB" if tuning.context_bytes else ""
    return f"context window of {tokens} tokens ({source}): {tuning.free_bytes / 1e9:.1f} GB of memory are free{takes}"

"""How many tokens a second come out of the project's own path, and out of llama.cpp driven directly, by turns.

The path is the child process with its queue, phases and pipes, through `LlamaProcess.stream`. Driven directly means
by the class `llama_cpp.Llama`, and by a bare loop over `kb.adapters.llama.context`; with the same model, prompt,
options and sampling. Each side has a process of its own, started anew for each round: where the weights come to lie
in memory makes some 10 % of the speed, and a second model in the same process up to a third.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from itertools import islice
from multiprocessing import get_context
from pathlib import Path

from kb.adapters.llama.context import Llama
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.process import LlamaProcess
from kb.adapters.llama.templates import profile_of
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Message
from server.measure.bench.comparison import Comparison
from server.terminal import console

STORY = [Message("user", "Tell a long story about a lighthouse, a storm and a ship that comes home late.")]
WARM_UP_TOKENS = 4


def stream(path: Path, options: EngineOptions, count: int) -> float:
    """Tokens in a second out of the whole path of the project's own, after the first one."""

    def generate(count: int) -> float:
        first = 0.0
        for item in model.stream(STORY, GenerationOptions(reasoning_tokens=0, answer_tokens=count)):
            if isinstance(item, Delta) and not first:
                first = time.perf_counter()
            if isinstance(item, GenerationEnd):
                return (item.answer_tokens - 1) / (time.perf_counter() - first)
        raise AssertionError("a stream ends with its end")

    with closing(LlamaProcess(path, "model", options)) as model:
        generate(WARM_UP_TOKENS)
        return generate(count)


def bare_loop(path: Path, options: EngineOptions, count: int) -> float:
    """Tokens in a second where `kb.adapters.llama.context` evaluates and samples, and nothing else is done."""

    def moments() -> Iterator[float]:
        pending = prompt[llama.keep_prefix(prompt) :]
        with llama.sampler(profile.temperature, profile.top_p, 0) as sample:
            while True:
                for start in range(0, len(pending), llama.batch_tokens):
                    llama.evaluate(pending[start : start + llama.batch_tokens])
                pending = [sample()]
                yield time.perf_counter()

    with closing(Llama(path, options)) as llama:
        profile = profile_of(llama.metadata, llama.vocabulary)
        prompt = llama.encode(profile.render(STORY, reasoning=False))
        _rate(islice(moments(), WARM_UP_TOKENS))
        return _rate(islice(moments(), count))


def plain_llama(path: Path, options: EngineOptions, count: int) -> float:
    """Tokens in a second out of `llama_cpp.Llama` by itself."""
    with closing(Llama(path, options)) as ours:
        profile = profile_of(ours.metadata, ours.vocabulary)
        prompt = ours.encode(profile.render(STORY, reasoning=False))
    import llama_cpp

    llama = llama_cpp.Llama(
        str(path),
        n_ctx=options.context_tokens,
        n_threads=options.threads,
        n_threads_batch=options.threads,
        n_batch=options.batch_tokens,
        n_ubatch=options.batch_tokens,
        n_gpu_layers=options.gpu_layers,
        flash_attn=options.flash_attention is not False,
        verbose=False,
    )

    def moments() -> Iterator[float]:
        tokens = llama.generate(
            prompt, top_k=0, min_p=0.0, repeat_penalty=1.0, temp=profile.temperature, top_p=profile.top_p
        )
        texts = (llama.detokenize([token]) for token in tokens)
        return (time.perf_counter() for _ in texts)

    _rate(islice(moments(), WARM_UP_TOKENS))
    return _rate(islice(moments(), count))


SIDES: dict[str, Callable[[Path, EngineOptions, int], float]] = {
    "stream": stream,
    "bare loop": bare_loop,
    "llama_cpp.Llama": plain_llama,
}


def _rate(moments: Iterator[float]) -> float:
    times = list(moments)
    return (len(times) - 1) / (times[-1] - times[0])


def compare_generation(path: Path, options: EngineOptions, rounds: int, tokens: int) -> list[Comparison]:
    """Compares tokens per second, medians of all rounds.

    Args:
        path: The GGUF file.
        rounds: Each side is measured so many times.
        tokens: Generated each time; at least 2.
    """
    names = tuple(SIDES)
    found: dict[str, list[float]] = {name: [] for name in names}
    with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as processes:
        for number in range(rounds):
            for name in (*names[number % len(names) :], *names[: number % len(names)]):
                found[name].append(processes.submit(SIDES[name], path, options, tokens).result())
                console.remark(f"{name}: {found[name][-1]:.2f} tokens/s")
    ours, *others = (statistics.median(values) for values in found.values())
    return [Comparison("generated tokens/s", ours, other, name) for name, other in zip(names[1:], others, strict=True)]

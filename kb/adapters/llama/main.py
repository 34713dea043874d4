"""The child's side of `kb.adapters.llama.process`: runs one `LlamaModel` for a parent at the other end of two pipes.

Run as `python -m kb.adapters.llama.main`. It ends when the parent does, also in the middle of loading or of an answer.
Whatever nobody foresaw ends it, too, and the parent reports that: it cannot tell it from a crash, and need not.
"""

import contextlib
import functools
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from kb import observing
from kb.adapters.llama.in_process import LlamaModel
from kb.adapters.llama.options import EngineOptions
from kb.adapters.llama.tuning import tune
from kb.adapters.llama.wire import (
    LOADING,
    CountTokens,
    FromChild,
    Generate,
    LogLine,
    ModelSpec,
    PromptTokens,
    ReadAhead,
    ToChild,
    Withdraw,
    decode_request,
    decode_spec,
    encode_reply,
)
from kb.children import answer_parent, forbid_core_dumps, take_standard_streams
from kb.errors import KBError

# A thread that wants to count tokens waits this long for one that generates to let Python go.
_SWITCH_SECONDS = 0.0005
# Of -1000…1000: where memory runs out, the system is to end this process rather than the one with the catalog.
_OUT_OF_MEMORY_SCORE = "500"


def main() -> None:
    """Answers until the parent closes the pipe or dies."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.setswitchinterval(_SWITCH_SECONDS)
    source, sink = take_standard_streams()
    forbid_core_dumps()
    _be_the_one_to_go()
    server = _Server(sink)
    logging.basicConfig(level=logging.INFO, handlers=[_LogPipe(server.send)])

    def load(line: bytes) -> None:
        threading.Thread(target=server.load, args=(decode_spec(line),), daemon=True).start()

    answer_parent(source, load, lambda line: server.answer(*decode_request(line)))


class _Server:
    """A model and the pipe to whoever uses it; requests come once it has said that the model is loaded."""

    def __init__(self, sink: BinaryIO) -> None:
        self._sink = sink
        self._turn = threading.Lock()
        self._model: LlamaModel | None = None
        self._withdraw: dict[int, Callable[[], None]] = {}

    def load(self, spec: ModelSpec) -> None:
        try:
            self._model = LlamaModel(spec.path, spec.name, _options(spec), queue_size=spec.queue_size)
        except KBError as error:
            self.send(LOADING, error)
            os._exit(0)
        self.send(LOADING, self._model.info)

    def answer(self, number: int, request: ToChild) -> None:
        model = self._model
        assert model, "requests come once it has said that the model is loaded"
        try:
            match request:
                case CountTokens(text):
                    self.send(number, model.count_tokens(text))
                case PromptTokens(messages):
                    self.send(number, model.prompt_tokens(messages))
                case Generate(messages, options, looks, request_id):
                    observing.request_id.set(request_id)
                    deliver = functools.partial(self.send, number)
                    self._withdraw[number] = model.begin(messages, options, looks, deliver)
                case ReadAhead(prompts):
                    with contextlib.suppress(KBError):  # nobody waits for it
                        model.read_ahead(prompts)
                case Withdraw():
                    self._withdraw.pop(number, _nothing)()
        except KBError as error:
            self.send(number, error)

    def send(self, number: int, reply: FromChild | Exception) -> None:
        """Says something to the parent."""
        line = encode_reply(number, reply)
        with self._turn:
            self._sink.write(line)
            self._sink.flush()


class _LogPipe(logging.Handler):
    """Has the parent log what is logged here."""

    def __init__(self, send: Callable[[int, FromChild], None]) -> None:
        super().__init__()
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        self._send(LOADING, LogLine(record.name, record.levelno, record.getMessage(), observing.request_id.get()))


def _options(spec: ModelSpec) -> EngineOptions:
    untuned = spec.options
    return (
        untuned
        if isinstance(untuned, EngineOptions)
        else tune(spec.path, untuned.settings, untuned.cache, afresh=untuned.afresh)
    )


def _nothing() -> None:
    """Withdraws what was refused."""


def _be_the_one_to_go() -> None:
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OUT_OF_MEMORY_SCORE)


if __name__ == "__main__":
    main()

"""The key-value cache of a context of llama.cpp: what it holds, and what it held before.

A prompt that begins like an earlier one need not be read again: the states of what gives way are copied aside, the
longest unused go first, and come back where they fit best. They are bound to one model and one context, and stay in
memory: copying takes milliseconds where reading takes seconds, and documents leave no further trace on the disk.

States of sources that were each read alone, behind the instruction, and then joined side by side (parallel context
windows, Ratner et al. 2023) would serve any question. Tried with Qwen2.5-Coder 1.5B on questions of XQuAD (30 English,
14 Chinese; right answers): read in one piece 33, sections joined 29, chunks joined 27. So they are not joined.
Invariant: `tokens` is what the cache holds, or the beginning of it.
"""

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

LEAST_TOKENS = 128
"""Less is not worth a copy: it is read in a second."""

MOST_BYTES = 256_000_000
"""Of all copies together: some 25 prompts of a model with 1.5 billion parameters."""

_SEQUENCE = 0

Tokens = npt.NDArray[np.int32]


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """The state that stands for some tokens."""

    tokens: Tokens
    state: npt.NDArray[np.uint8]


class KeyValueCache:
    """What the context has read.

    Args:
        cpp: The module `llama_cpp`.
        context: As `llama_init_from_model` gives it.
        most_bytes: What copies may take together; 0: none are made.

    Attributes:
        tokens: In their order.
    """

    def __init__(self, cpp: Any, context: Any, most_bytes: int = MOST_BYTES) -> None:
        self._cpp = cpp
        self._context = context
        self._memory = cpp.llama_get_memory(context)
        self._most_bytes = most_bytes
        self._copies: list[_Copy] = []  # the longest unused first
        self._prompt_tokens = 0
        self.tokens: list[int] = []

    def begin(self, prompt: Sequence[int]) -> int:
        """Makes room for a prompt: forgets all but what it begins with.

        Returns:
            How many tokens of it are there already; not the last, whose logits are needed.
        """
        wanted, held = np.array(prompt[:-1], np.int32), self._held()
        kept = _common(held, wanted)
        read = min(len(held), self._prompt_tokens)  # without what was generated
        self._prompt_tokens = len(prompt)
        best = max(self._copies, key=lambda copy: _common(copy.tokens, wanted), default=None)
        if best and _common(best.tokens, wanted) - kept < LEAST_TOKENS:
            best = None
        if best:
            self._copies.remove(best)
            self._copies.append(best)
        if read - kept >= LEAST_TOKENS:
            self._copy(held[:read])
        if best:
            self._put_back(best)
            kept = _common(self._held(), wanted)
        return kept if self.cut(kept) else 0

    def cut(self, length: int) -> bool:
        """Forgets what comes after so many tokens.

        Returns:
            False: a recurrent model has no past states to go back to, and has forgotten all.
        """
        if self._cpp.llama_memory_seq_rm(self._memory, _SEQUENCE, length, -1):
            del self.tokens[length:]
            return True
        self._cpp.llama_memory_clear(self._memory, True)
        self.tokens.clear()
        return False

    def _held(self) -> Tokens:
        return np.array(self.tokens, np.int32)

    def _copy(self, tokens: Tokens) -> None:
        """Copies the state of the first tokens aside; one that it all but contains gives way."""
        if any(_common(copy.tokens, tokens) == len(tokens) for copy in self._copies) or not self.cut(len(tokens)):
            return
        size = self._cpp.llama_state_seq_get_size(self._context, _SEQUENCE)
        if size > self._most_bytes:
            return
        state = np.empty(size, np.uint8)
        self._cpp.llama_state_seq_get_data(self._context, _bytes(state), size, _SEQUENCE)
        new = _Copy(tokens, state)
        self._copies = [
            copy for copy in self._copies if len(copy.tokens) - _common(copy.tokens, tokens) >= LEAST_TOKENS
        ] + [new]
        while sum(copy.state.nbytes for copy in self._copies) > self._most_bytes:
            del self._copies[0]

    def _put_back(self, copy: _Copy) -> None:
        if self._cpp.llama_state_seq_set_data(self._context, _bytes(copy.state), copy.state.nbytes, _SEQUENCE):
            self.tokens[:] = copy.tokens.tolist()
        else:
            self.cut(0)


def _common(one: Tokens, other: Tokens) -> int:
    """How many tokens two sequences begin with alike."""
    length = min(len(one), len(other))
    differing = np.flatnonzero(one[:length] != other[:length])
    return int(differing[0]) if len(differing) else length


def _bytes(state: npt.NDArray[np.uint8]) -> Any:
    return state.ctypes.data_as(ctypes.POINTER(ctypes.c_uint8))

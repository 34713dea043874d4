"""The chat template of a model file, which a child process runs: it may be anybody's, and never end.

A prompt depends on who speaks, in which order, and on nothing that is said. So a few dozen prompts are all that there
are; they are written at once, by one child, and kept.
"""

import datetime
import functools
import json
from collections.abc import Sequence

from kb import children
from kb.children import ChildNotStarted
from kb.errors import ModelError, ModelLoadError

_RENDERING = "kb.adapters.llama.rendering"
_PATIENCE_SECONDS = 60.0  # of which the child works for a second; the others are for a busy machine to start it
_COMMON_TURNS = 6

Shape = tuple[tuple[str, ...], bool]
"""The roles of the messages, and whether the reply begins with reasoning."""


class Refused(ModelError):
    """A template refuses an order of roles."""


class ChatTemplate:
    """A template in Jinja, with the texts of two tokens that it may write.

    Args:
        source: Of the template.
        bos: Begins a prompt; empty where there is none.
        eos: Ends a reply; empty where there is none.
    """

    def __init__(self, source: str, bos: str, eos: str) -> None:
        self._source = source
        self._tokens = {"bos_token": bos, "eos_token": eos}
        self._written: dict[tuple[Shape, datetime.date | None], tuple[bool, str]] = {}

    def render(self, roles: Sequence[str], *, reasoning: bool) -> str:
        r"""Writes a prompt, in which the content of message `n` is `\ue000n\ue001`.

        Raises:
            Refused: The template has no place for these roles.
            ModelLoadError: It is broken, takes too long or needs too much memory.
        """
        day = datetime.date.today() if "strftime_now" in self._source else None
        shape = (tuple(roles), reasoning)
        if (shape, day) not in self._written:
            shapes = [shape, *_common_shapes()]
            for known, written in zip(shapes, self._write(shapes), strict=True):
                self._written[known, day] = written
        is_text, text = self._written[shape, day]
        if not is_text:
            raise Refused(text)
        return text

    def _write(self, shapes: Sequence[Shape]) -> list[tuple[bool, str]]:
        request = {"source": self._source, "tokens": self._tokens, "shapes": shapes}
        try:
            child = children.start(_RENDERING, has_pipes=True)
        except ChildNotStarted as error:
            raise ModelLoadError(f"no prompt can be written: {error.message}", error.hint) from error
        said, status = children.exchange(child, json.dumps(request).encode() + b"\n", _PATIENCE_SECONDS)
        answer = json.loads(said) if status == 0 else _describe_end(status)
        if isinstance(answer, str):
            message = f"the chat template inside the model file is broken: {answer}"
            raise ModelLoadError(message, "use another file of this model")
        return [(bool(is_text), str(text)) for is_text, text in answer]


def _describe_end(status: int | None) -> str:
    described = "" if status is None else children.describe_end(status)
    in_time = described and "SIGPROF" not in described
    return f"its process {described}" if in_time else "it does not end within a second"


@functools.lru_cache(maxsize=8)
def chat_template(source: str, bos: str, eos: str) -> ChatTemplate:
    """The template of this source, with what is known of it."""
    return ChatTemplate(source, bos, eos)


def _common_shapes() -> list[Shape]:
    talks = [("user", "assistant") * turns + ("user",) for turns in range(_COMMON_TURNS + 1)]
    return [(before + talk, reasoning) for before in ((), ("system",)) for talk in talks for reasoning in (True, False)]

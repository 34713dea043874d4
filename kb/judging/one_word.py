"""Looks into a model that does not show its probabilities: it is asked to reply, and its one word is all there is."""

import re
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import replace

from kb.ports import LanguageModel, Looker
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, Heartbeat, Look, Looked, Message

_REPLY_TOKENS = 8
_WORD = re.compile(r"\w+")


class OneWordLooks:
    """Adapter of `kb.ports.Looker` for any language model; a look costs a reply.

    Its margin is 1 where the reply begins with the first word, -1 where it begins with the other, 0 else. How far that
    can be trusted is for the calibration to find out.
    """

    def __init__(self, model: LanguageModel) -> None:
        self._model = model

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        """See `kb.ports.Looker`."""
        margins: tuple[float, ...] = ()
        for look in looks:
            margins += ((yield from self._margin(look, options)),)
        yield Looked(margins)
        if messages:
            yield from self._model.stream(messages, options)
        else:
            yield GenerationEnd("stop", 0, 0, 0)

    def _margin(self, look: Look, options: GenerationOptions) -> Generator[Heartbeat, None, float]:
        brief, reply = replace(options, reasoning_tokens=0, answer_tokens=_REPLY_TOKENS), ""
        with closing(self._model.stream(look.messages, brief)) as stream:
            for item in stream:
                if isinstance(item, Heartbeat):
                    yield item
                elif isinstance(item, Delta) and item.phase == "answer":
                    reply += item.text
        # 没有 begins as 有 does not, and 不对 holds 对: what the reply begins with counts.
        said = "".join(_WORD.findall(reply)).lower()
        return float(said.startswith(look.reply.lower())) - float(said.startswith(look.other.lower()))


def looker_of(model: LanguageModel) -> Looker:
    """The model itself if it shows its probabilities; else one that asks for a word."""
    return model if isinstance(model, Looker) else OneWordLooks(model)

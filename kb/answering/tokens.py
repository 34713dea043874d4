"""Lengths of prompts in tokens: by the model's own count, or by an estimate where it does not count."""

import math
import re
from collections.abc import Sequence

from kb.ports import LanguageModel, TokenCounter
from kb.values.chat import Message

_DENSE = re.compile(r"[^\x00-\x7f]|\d")  # Chinese, and what else vocabularies mostly have no longer pieces of
_SPARSE_CHARS_PER_TOKEN = 3.5
_MARGIN = 1.2
_MESSAGE_TOKENS = 8  # what a chat template writes around a message, and once at the end


def token_counter(model: LanguageModel) -> TokenCounter:
    """The model itself if it counts; else an estimate."""
    return model if isinstance(model, TokenCounter) else EstimatedTokens()


class EstimatedTokens:
    """Adapter of `kb.ports.TokenCounter` for any model; rather too many than too few.

    A character that is a digit or not ASCII is one token, 3.5 others are one; a fifth is added.
    """

    def count_tokens(self, text: str) -> int:
        """See `kb.ports.TokenCounter`."""
        dense = len(_DENSE.findall(text))
        return math.ceil(_MARGIN * (dense + (len(text) - dense) / _SPARSE_CHARS_PER_TOKEN))

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """See `kb.ports.TokenCounter`."""
        return _MESSAGE_TOKENS + sum(_MESSAGE_TOKENS + self.count_tokens(message.content) for message in messages)

"""Lengths of prompts in tokens: by the model's own count, or by an estimate where it does not count."""

from collections.abc import Sequence

from kb.generation.estimate import estimated_tokens
from kb.ports import LanguageModel, TokenCounter
from kb.values.chat import Message

_MESSAGE_TOKENS = 8  # what a chat template writes around a message, and once at the end


def token_counter(model: LanguageModel) -> TokenCounter:
    """The model itself if it counts; else an estimate."""
    return model if isinstance(model, TokenCounter) else EstimatedTokens()


class EstimatedTokens:
    """Adapter of `kb.ports.TokenCounter` for any model; rather too many than too few."""

    def count_tokens(self, text: str) -> int:
        """See `kb.ports.TokenCounter`."""
        return estimated_tokens(text)

    def prompt_tokens(self, messages: Sequence[Message]) -> int:
        """See `kb.ports.TokenCounter`."""
        return _MESSAGE_TOKENS + sum(_MESSAGE_TOKENS + self.count_tokens(message.content) for message in messages)

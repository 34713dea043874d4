"""Two engines as one: the large one writes, the small one looks, and writes where the large one cannot be reached.

Behind the port of a language model, so that whoever asks knows nothing of it. For one question: `instead` says what
happened to it.
"""

import dataclasses
import logging
from collections.abc import Generator, Sequence

from kb.errors import ModelUnreachable, PromptTooLong
from kb.ports import LanguageModel, Looker
from kb.values.chat import Delta, Generated, GenerationEnd, GenerationOptions, LanguageModelInfo, Look, Looked, Message

logger = logging.getLogger(__name__)


class LargeWithSmall:
    """A large engine with a small one at its side.

    Args:
        large: Writes.
        small: Stays open when this one is closed, as the large one does.
        stands_in: Whether the small one writes where the large one cannot be reached.

    Attributes:
        instead: Why the small one has written; empty: it has not.
    """

    def __init__(self, large: LanguageModel, small: LanguageModel, *, stands_in: bool) -> None:
        self._large = large
        self._small = small
        self._stands_in = stands_in
        self.instead = ""

    @property
    def info(self) -> LanguageModelInfo:
        """Of the one that writes, with the identity of the one that looks; the window is one that both have."""
        large, small = self._large.info, self._small.info
        writes = small if self.instead else large
        window = min(large.context_tokens, small.context_tokens)
        title = small.title or small.name
        return dataclasses.replace(writes, title=title, description=small.description, context_tokens=window)

    def stream(self, messages: Sequence[Message], options: GenerationOptions) -> Generator[Generated, None, None]:
        """See `kb.ports.LanguageModel`."""
        has_begun = False
        try:
            for item in (items := self._large.stream(messages, options)):
                has_begun = has_begun or isinstance(item, Delta)
                yield item
            return
        except ModelUnreachable as error:
            if has_begun or not self._stands_in:
                raise
            logger.warning("%s; %s answers instead", error.message, self._small.info.name)
            self.instead = error.message
        finally:
            items.close()
        yield from self._small.stream(messages, options)

    def close(self) -> None:
        """Leaves both open: they are not its own."""


class LargeWithLookingSmall(LargeWithSmall):
    """The same with a small engine that can be looked into."""

    def stream_after_looks(
        self, looks: Sequence[Look], messages: Sequence[Message], options: GenerationOptions
    ) -> Generator[Generated, None, None]:
        """See `kb.ports.Looker`; what does not fit into the window of the small one is not looked at."""
        assert isinstance(self._small, Looker), "made of one that can be looked into"
        try:
            for item in self._small.stream_after_looks(looks, (), options):
                if isinstance(item, Looked) or not isinstance(item, GenerationEnd):
                    yield item
        except PromptTooLong:
            logger.info("the small model has no room for a look")
        if messages:
            yield from self.stream(messages, options)
        else:
            yield GenerationEnd("stop", 0, 0, 0)


def side_by_side(large: LanguageModel, small: LanguageModel, *, stands_in: bool) -> LargeWithSmall:
    """Puts two engines together, with looks where the small one allows them."""
    kind = LargeWithLookingSmall if isinstance(small, Looker) else LargeWithSmall
    return kind(large, small, stands_in=stands_in)

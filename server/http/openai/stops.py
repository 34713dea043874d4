"""Where an answer is to end because a client named a text that ends it. Pure."""

from collections.abc import Sequence


class StopText:
    """Lets text through up to the first of some texts.

    Args:
        texts: None of them goes out. Empty: nothing ends the text.

    Attributes:
        is_found: Whether one has come; from then on nothing goes out.
    """

    def __init__(self, texts: Sequence[str]) -> None:
        self._texts = [text for text in texts if text]
        self._held = ""
        self.is_found = False

    def add(self, text: str) -> str:
        """Takes some more; returns what goes out. What may be the beginning of a stop is held back."""
        if self.is_found:
            return ""
        text = self._held + text
        places = [place for stop in self._texts if (place := text.find(stop)) >= 0]
        if places:
            self.is_found, self._held = True, ""
            return text[: min(places)]
        kept = max((_overlap(text, stop) for stop in self._texts), default=0)
        self._held = text[len(text) - kept :]
        return text[: len(text) - kept]

    def finish(self) -> str:
        """Gives out what was held back."""
        held, self._held = self._held, ""
        return held


def _overlap(text: str, stop: str) -> int:
    """How long a beginning of `stop` the text ends with."""
    lengths = range(min(len(stop) - 1, len(text)), 0, -1)
    return next((length for length in lengths if text.endswith(stop[:length])), 0)

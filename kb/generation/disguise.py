"""Placeholders in the place of personal data, for one exchange with a model that must not see it.

What stands for what is known to that exchange alone, so that no reply can bring up what another one has hidden.
Invariant: a text that is hidden holds nothing of what `find` finds in it; a reply is restored to the letter.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from kb.generation.replies import Deliver
from kb.ports import FindPersonal
from kb.values.chat import Delta, Generated, GenerationEnd, Look, Message
from kb.values.personal import PersonalKind


class Disguise:
    """Hides and restores.

    Args:
        find: Finds what is to be hidden.
        texts: All that will be hidden; a placeholder is none of what stands in them.
    """

    def __init__(self, find: FindPersonal, texts: Iterable[str]) -> None:
        texts = dict.fromkeys(texts)
        self.counts: Counter[PersonalKind] = Counter()
        self._placeholders: dict[str, str] = {}
        self._hidden = {text: self._hide(text, find, texts) for text in texts}
        self._originals = {placeholder: original for original, placeholder in self._placeholders.items()}

    def hidden(self, text: str) -> str:
        """One of the texts, with placeholders."""
        return self._hidden[text]

    def messages(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """Messages whose texts are among them, with placeholders."""
        return tuple(replace(message, content=self._hidden[message.content]) for message in messages)

    def looks(self, looks: Sequence[Look]) -> list[Look]:
        """Looks whose texts are among them, with placeholders."""
        return [replace(look, messages=self.messages(look.messages)) for look in looks]

    def restoring(self, deliver: Deliver) -> Deliver:
        """What takes a reply with placeholders, and delivers it as if nothing had been hidden."""
        return _Restoring(self._originals, deliver) if self._originals else deliver

    def _hide(self, text: str, find: FindPersonal, texts: Iterable[str]) -> str:
        parts, end = [], 0
        for each in find(text):
            original = text[each.start : each.end]
            if original not in self._placeholders:
                self._placeholders[original] = self._new(each.kind, texts)
            parts += [text[end : each.start], self._placeholders[original]]
            end = each.end
        return "".join([*parts, text[end:]])

    def _new(self, kind: PersonalKind, texts: Iterable[str]) -> str:
        while True:
            self.counts[kind] += 1
            placeholder = f"{kind.upper()}_{self.counts[kind]}"
            if not any(placeholder in text for text in texts):
                return placeholder


def texts_of(looks: Sequence[Look], messages: Sequence[Message]) -> Iterable[str]:
    """All that a model is told by looks and messages."""
    for each in (*(look.messages for look in looks), messages):
        yield from (message.content for message in each)


def hidden_alone(text: str, find: FindPersonal) -> str:
    """A text with placeholders, the same each time: what stands for what is forgotten."""
    return Disguise(find, [text]).hidden(text)


class _Restoring:
    """Holds back what may be the beginning of a placeholder, until it is seen whether it is one."""

    def __init__(self, originals: dict[str, str], deliver: Deliver) -> None:
        self._originals = originals
        self._deliver = deliver
        # A model may write them small; `PHONE_1` does not stand in `PHONE_12`.
        self._pattern = re.compile(rf"({'|'.join(originals)})(?!\d)", re.IGNORECASE)
        self._held: Delta | None = None

    def __call__(self, item: Generated | Exception) -> None:
        """Takes the next item of the reply."""
        if not isinstance(item, Delta):
            if isinstance(item, GenerationEnd):
                self._release()
            self._deliver(item)
            return
        if self._held and self._held.phase != item.phase:
            self._release()
        text = (self._held.text if self._held else "") + item.text
        kept = self._kept_chars(text)
        self._held = replace(item, text=text[len(text) - kept :]) if kept else None
        self._give(replace(item, text=text[: len(text) - kept]))

    def _kept_chars(self, text: str) -> int:
        longest = min(len(text), max(map(len, self._originals)))
        tails = ((length, text[-length:].upper()) for length in range(longest, 0, -1))
        return next((n for n, tail in tails if any(each.startswith(tail) for each in self._originals)), 0)

    def _release(self) -> None:
        held, self._held = self._held, None
        if held:
            self._give(held)

    def _give(self, delta: Delta) -> None:
        if delta.text:
            restored = self._pattern.sub(lambda match: self._originals[match[0].upper()], delta.text)
            self._deliver(replace(delta, text=restored))

"""The pieces of a reply → deltas of reasoning and answer, whichever way a server marks its reasoning.

Pure. Most give it in a field of its own. Others leave tags in the text; and where the prompt has opened the reasoning,
the text begins inside of it and only the closing tag shows that. So text is held back, where that may be, until a tag
or the end tells what it was. Invariant: nothing that was reasoning comes out as answer, and no tag does.
"""

import re

from kb.adapters.openai_api.streaming import Piece
from kb.generation.reasoning import EVERY_TAG, Phase, ReasoningSplitter
from kb.values.chat import Delta

_TAG = re.compile("|".join(map(re.escape, EVERY_TAG)), re.IGNORECASE)


class Phases:
    """Sorts one reply.

    Args:
        holds: Whether text is held back until it is known what it is.
        shows_reasoning: False: reasoning was not wanted, and is dropped where it comes all the same.
        is_suspect: Whether text that was held back and broke off is taken for reasoning.

    Attributes:
        in_field: Whether reasoning came in a field of its own.
        has_tags: Whether tags stood in the text.
        reasoning_pieces: How many pieces of reasoning came, shown or not: about as many tokens.
        answer_pieces: The same of the answer.
    """

    def __init__(self, *, holds: bool, shows_reasoning: bool, is_suspect: bool = False) -> None:
        self._splitter = ReasoningSplitter("answer", tags=EVERY_TAG)
        self._holds = holds
        self._held = ""
        self._held_pieces = 0
        self._is_suspect = is_suspect
        self._shows_reasoning = shows_reasoning
        self.in_field = False
        self.has_tags = False
        self.reasoning_pieces = 0
        self.answer_pieces = 0
        self.phase: Phase = "answer"

    def feed(self, piece: Piece) -> list[Delta]:
        """Takes the next piece; gives what is certain by now."""
        deltas = []
        if piece.reasoning:
            deltas += self._release("answer") if self._held.strip() else []
            text = piece.reasoning if self.in_field else piece.reasoning.lstrip()
            self.in_field, self._holds = True, False
            deltas += [Delta("reasoning", text)] if text else []
        if piece.text:
            deltas += self._text(piece.text)
        self._held_pieces += bool(piece.text and self._holds)
        return self._counted(deltas)

    def end(self, *, is_whole: bool = True) -> list[Delta]:
        """Gives what was held back: no tag came, so it was the answer, unless it broke off and is suspect.

        Args:
            is_whole: Whether the model has come to its end.
        """
        phase: Phase = "answer" if is_whole or not self._is_suspect else "reasoning"
        deltas = self._release(phase) if self._holds else []
        return self._counted(deltas + self._splitter.flush())

    def _text(self, text: str) -> list[Delta]:
        if self._holds:
            self._held += text
            tag = _TAG.search(self._held)
            if not tag:
                return []
            return self._release("reasoning" if EVERY_TAG[tag.group().lower()] == "answer" else "answer")
        deltas = self._splitter.feed(text)
        self.phase = self._splitter.phase
        self.has_tags = self.has_tags or self.phase == "reasoning"
        return deltas

    def _release(self, phase: Phase) -> list[Delta]:
        held, self._held, self._holds = self._held, "", False
        self.has_tags = self.has_tags or bool(_TAG.search(held))
        self._splitter = ReasoningSplitter(phase, tags=EVERY_TAG)
        deltas = self._splitter.feed(held)
        self.phase = self._splitter.phase
        pieces, self._held_pieces = self._held_pieces, 0
        if any(delta.phase == "reasoning" for delta in deltas):
            self.reasoning_pieces += pieces
        else:
            self.answer_pieces += pieces
        return deltas

    def _counted(self, deltas: list[Delta]) -> list[Delta]:
        self.reasoning_pieces += any(delta.phase == "reasoning" for delta in deltas)
        self.answer_pieces += any(delta.phase == "answer" for delta in deltas)
        return [delta for delta in deltas if delta.phase == "answer" or self._shows_reasoning]

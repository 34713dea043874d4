"""Passages as the model may see them: without the sentences that speak to the one who answers.

Pure but for the embedding. What is taken out leaves a gap of the same length, so that all offsets stay, and no quote
can be made of it; the reader is shown the passages as they are.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kb.text.sentences import sentence_spans
from kb.values.passages import Passage

GAP = "\ufffc"
"""Fills the place of what was taken out, between two empty lines."""

_SHORTEST_CHARS = 8
_EDGE = "\n\n"

FindInstructions = Callable[[Sequence[str]], Sequence[bool]]
"""Tells which of some sentences speak to the one who answers."""


def without_instructions(passages: Sequence[Passage], find: FindInstructions) -> tuple[tuple[Passage, ...], int]:
    """Takes such sentences out of passages.

    Returns:
        The passages, and how many sentences were taken out.
    """
    spans = [
        (passage, start, end)
        for passage in passages
        for start, end in sentence_spans(passage.text)
        if end - start >= _SHORTEST_CHARS
    ]
    found = find([passage.text[start:end] for passage, start, end in spans])
    taken = [span for span, is_found in zip(spans, found, strict=True) if is_found]
    return tuple(_without(passage, [span[1:] for span in taken if span[0] is passage]) for passage in passages), len(
        taken
    )


def _without(passage: Passage, spans: Sequence[tuple[int, int]]) -> Passage:
    text = passage.text
    for start, end in spans:
        text = text[:start] + _EDGE + GAP * (end - start - 2 * len(_EDGE)) + _EDGE + text[end:]
    return replace(passage, text=text) if spans else passage

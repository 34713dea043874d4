"""Passages, history and question → messages for a language model, within a token budget.

Pure. What is stable comes first (instruction, then passages, then the question), so that a second question on the same
passages finds its beginning already processed. Citations are not asked of the model: `kb.citations` makes them.
"""

from collections.abc import Callable, Sequence
from itertools import groupby, pairwise

from kb.generation import Message
from kb.text import join_broken_lines, language, sentence_spans
from kb.types import Passage, PassagePart, Turn, heading_path

_INSTRUCTION = {
    "en": (
        "Answer the question using only the sources below. Be short: one or two sentences, unless more is asked for."
        " Give names, numbers and units exactly as the sources write them. Do not mention the sources."
    ),
    "zh": (
        "请只根据下面的资料回答问题。回答要简短：一两句话即可，除非问题要求更多。"
        "名称、数字和单位要与资料完全一致。不要提及“资料”二字。请用中文回答。"
    ),
}
_SOURCES = {"en": "Sources:", "zh": "资料："}
_QUESTION = {"en": "Question: ", "zh": "问题："}

HISTORY_SHARE = 4
"""Earlier turns get at most one part in this many of the budget."""

Counter = Callable[[str], int]


def build_prompt(
    question: str,
    passages: Sequence[Passage],
    history: Sequence[Turn],
    count_tokens: Counter,
    budget_tokens: int,
) -> tuple[Message, ...]:
    """Writes the messages for one question.

    The newest turns and the best parts of the passages go in first, as long as they fit; the best part always goes in,
    cut short if it must be.

    Args:
        passages: Best first.
        history: Oldest first.
        count_tokens: Of the answering model.
        budget_tokens: For history and passages together.
    """
    words = language(question)
    turns = _fit_history(history, count_tokens, budget_tokens // HISTORY_SHARE)
    spent = sum(count_tokens(turn.question) + count_tokens(turn.answer) for turn in turns)
    texts = _fit_passages(passages, count_tokens, budget_tokens - spent)
    sources = "\n\n".join([_SOURCES[words], *texts])
    messages = [Message("system", _INSTRUCTION[words])]
    for turn in turns:
        messages += [Message("user", turn.question), Message("assistant", turn.answer)]
    messages.append(Message("user", f"{sources}\n\n{_QUESTION[words]}{question}"))
    return tuple(messages)


def _fit_history(history: Sequence[Turn], count_tokens: Counter, budget_tokens: int) -> list[Turn]:
    kept: list[Turn] = []
    for turn in reversed(history):
        budget_tokens -= count_tokens(turn.question) + count_tokens(turn.answer)
        if budget_tokens < 0:
            break
        kept.insert(0, turn)
    return kept


def _fit_passages(passages: Sequence[Passage], count_tokens: Counter, budget_tokens: int) -> list[str]:
    """Writes the best parts of all passages, as many as fit, as they stand in their documents.

    The labels of their sections are counted once, where the first part of a section goes in.
    """
    kept: dict[Passage, list[PassagePart]] = {passage: [] for passage in passages}
    parts = [(passage, part) for passage in passages for part in passage.parts]
    for passage, part in sorted(parts, key=lambda pair: -pair[1].score):
        is_labelled = any(part.headings == other.headings for other in kept[passage])
        label = 0 if is_labelled else count_tokens(_label(passage, part.headings))
        tokens = label + count_tokens(_text(passage, part.start, part.end))
        if tokens <= budget_tokens:
            budget_tokens -= tokens
            kept[passage].append(part)
        elif not any(kept.values()):
            return [_shortened(_labelled(passage, [part]), count_tokens, budget_tokens)]
    return [
        _labelled(passage, list(section))
        for passage, parts_kept in kept.items()
        for _, section in groupby(sorted(parts_kept, key=lambda part: part.start), key=lambda part: part.headings)
    ]


def _labelled(passage: Passage, parts: Sequence[PassagePart]) -> str:
    """Writes parts of one section under its name; where something between them is left out, there is an ellipsis."""
    text = _text(passage, parts[0].start, parts[0].end)
    for before, part in pairwise(parts):
        gap = _text(passage, before.end, part.start)
        text += (" … " if gap.strip() else gap) + _text(passage, part.start, part.end)
    label = _label(passage, parts[0].headings)
    return f"{label}\n{join_broken_lines(text)}" if label else join_broken_lines(text)


def _label(passage: Passage, headings: tuple[str, ...]) -> str:
    place = heading_path(headings)
    name = place if place.startswith(passage.title) else heading_path([passage.title, *headings])
    return f"[{name}]" if name else ""


def _text(passage: Passage, start: int, end: int) -> str:
    return passage.text[start - passage.start : end - passage.start]


def _shortened(text: str, count_tokens: Counter, budget_tokens: int) -> str:
    """Cuts a text after the last sentence that fits, or inside the first if none does."""
    for _, end in reversed(sentence_spans(text)):
        if count_tokens(text[:end]) <= budget_tokens:
            return text[:end]
    return text[: len(text) * max(budget_tokens, 1) // max(1, count_tokens(text))]

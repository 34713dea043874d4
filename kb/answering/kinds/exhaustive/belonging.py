"""Which of the items that were found belong on the list: the model looks at each where it stands.

The margins of such looks tell items of one question apart (with Qwen2.5-Coder 1.5B, eight questions in two languages:
nearly all that belong lie above all that do not), but where the two meet differs from question to question, so it is
looked for: the widest gap parts them, if it is wide enough. Where there is none, all belong, or the model cannot tell.

Of what a model has listed itself, most belongs, and there may be no gap. So it looks at words of the same passages that
it has not listed, too: what is no better than these on average is none. Of ten lists in the documents that ship and 12
in others, that keeps .78 and .58 of all that belong, and .59 and .53 of what is listed do; without, .85 and .58, and
.47 and .43. To ask for more, as the widest gap or a deviation above the average, loses more than it gains (.63, .42).
Counted from the same recorded looks as in `worth_copying`.
"""

from collections.abc import Generator, Sequence
from contextlib import closing
from itertools import pairwise
from statistics import fmean

from kb.answering.kinds.exhaustive.items import Item
from kb.judging.one_word import looker_of
from kb.ports import LanguageModel
from kb.text.languages import language
from kb.values.chat import GenerationOptions, Heartbeat, Look, Looked, Message

MOST_LOOKED_AT = 60
"""Each takes about a second."""

_LOOKS_AT_ONCE = 8
_LOOK_SECONDS = 120.0
_GAP = 0.5
_CERTAIN = 1.0  # what lies above belongs, whatever gap there is
_MOST_CHARS = 400
_ASK = {
    "en": ("Task: {task}\nText: {text}\nIs “{item}” one of them? Yes or No?", "Yes", "No"),
    "zh": ("任务：{task}\n原文：{text}\n“{item}”是其中之一吗？请回答“是”或“否”。", "是", "否"),
}


def belonging(
    model: LanguageModel, question: str, items: Sequence[Item], others: Sequence[Item] = ()
) -> Generator[Heartbeat, None, tuple[bool, ...] | None]:
    """Looks at items.

    Args:
        others: Words that nobody took for items.

    Returns:
        For each whether it belongs; those after the first `MOST_LOOKED_AT` do. None: the model cannot tell.
    """
    known = min(len(items), MOST_LOOKED_AT)
    looked_at = [*items[:known], *others]
    margins = yield from _margins(model, question, looked_at)
    if len(margins) < len(looked_at):
        return None
    least = least_margin(margins[:known], margins[known:])
    return tuple(margin >= least for margin in margins[:known]) + (True,) * (len(items) - known)


def _margins(model: LanguageModel, question: str, looked_at: Sequence[Item]) -> Generator[Heartbeat, None, list[float]]:
    looker, margins = looker_of(model), list[float]()
    for begin in range(0, len(looked_at), _LOOKS_AT_ONCE):
        looks = [_look(question, item) for item in looked_at[begin : begin + _LOOKS_AT_ONCE]]
        with closing(looker.stream_after_looks(looks, (), GenerationOptions(seconds=_LOOK_SECONDS))) as stream:
            for event in stream:
                if isinstance(event, Looked):
                    margins += event.margins
                elif isinstance(event, Heartbeat):
                    yield event
    return margins


def least_margin(margins: Sequence[float], others: Sequence[float] = ()) -> float:
    """The margin from which on items belong.

    Args:
        others: Of words that nobody took for items.
    """
    if others:
        return fmean(others)
    gaps = [(after - before, after) for before, after in pairwise(sorted(margins)) if before < _CERTAIN]
    width, above = max(gaps, default=(0.0, 0.0))
    return above if width >= _GAP else float("-inf")


def _look(question: str, item: Item) -> Look:
    text, yes, no = _ASK[language(question)]
    asked = text.format(task=question, text=item.sentence[:_MOST_CHARS], item=item.written)
    return Look((Message("user", asked),), yes, no)

"""Items taken from passages: by their form from all of them, or by a model that reads those that may hold some."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import compress, islice

from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.document.key_passages import passage_of
from kb.answering.kinds.exhaustive.belonging import MOST_LOOKED_AT, belonging
from kb.answering.kinds.exhaustive.bounds import Bound
from kb.answering.kinds.exhaustive.items import Item, apart, items_of_forms, items_of_lines, merged, words_beside
from kb.answering.kinds.exhaustive.saying import Tally
from kb.answering.kinds.exhaustive.scope import Scope
from kb.answering.kinds.exhaustive.worth_copying import FirstLook, worth_copying
from kb.answering.prompts.instructions import FindInstructions, without_instructions
from kb.catalog.catalog import Catalog
from kb.text.languages import language
from kb.text.sentences import join_broken_lines
from kb.values.answers import Step
from kb.values.chat import Heartbeat
from kb.values.passages import Passage

MOST_READ = 24
"""So many passages a model reads for one question; each takes some ten seconds on a small machine."""

WORDS_BESIDE = 8
"""So many words that it did not take for items the model looks at, too."""

_ITEMS_TOKENS = 200  # that a model writes about one passage
_PROMPT = {
    "en": "Text from “{title}”:\n{text}\n\nTask: {task}\nWrite only the items that this text has, each on a line of its"
    " own, copied from the text.",
    "zh": "以下出自《{title}》：\n{text}\n\n任务：{task}\n只写这段文字里有的，每项一行，照抄原文。",
}


@dataclass(slots=True)
class Gathered:
    """What was found.

    Attributes:
        groups: Items that say the same, together; in the order of the documents.
        tally: What was read, and what was not.
    """

    groups: list[list[Item]]
    tally: Tally


def by_form(scope: Scope, forms: Sequence[str], catalog: Catalog, bound: Bound | None = None) -> Gathered:
    """Takes all items of some forms, as far as they lie within a bound; no model is needed."""
    items: list[Item] = []
    read = 0
    for read, stored in enumerate(scope.chunks(catalog), start=1):  # noqa: B007
        found = items_of_forms(forms, passage_of(1, stored))
        items += (item for item in found if bound is None or bound(item.written))
    return Gathered(merged(items), Tally(len(scope.document_ids), read))


def passages_to_read(scope: Scope, catalog: Catalog, near: Sequence[Passage]) -> tuple[list[Passage], int]:
    """All passages of a scope if they are few; else those that are nearest to the question, in the order of the text.

    Args:
        near: What the search has found, best first.

    Returns:
        The passages, and how many others there are.
    """
    groups = list(islice(scope.groups(catalog), MOST_READ + 1))
    if len(groups) <= MOST_READ:
        return groups, 0
    inside = [passage for passage in near if passage.document_id in scope.document_ids]
    chosen = sorted(inside[:MOST_READ], key=lambda passage: (passage.source, passage.start))
    return chosen, max(0, sum(1 for _ in scope.groups(catalog)) - len(chosen))


def by_reading(
    question: str,
    passages: Sequence[Passage],
    writer: CheckedWriter,
    find_instructions: FindInstructions,
    first_look: FirstLook,
) -> Generator[Heartbeat | Step, None, tuple[list[list[Item]], int]]:
    """Has the model copy the items out of the passages that hold some; what does not stand there is none.

    Returns:
        Items that say the same, together; and from how many passages nothing was copied.
    """
    looked_at: list[Passage] = []
    likely: list[float] = []
    for number, passage in enumerate(passages, start=1):
        yield Step("passage", number, len(passages), passage.title)
        (readable,), _ = without_instructions([passage], find_instructions)
        looked_at.append(readable)
        likely.append((yield from first_look.likely(readable)))
    chosen = list(compress(looked_at, worth_copying(likely)))
    items: list[Item] = []
    for number, passage in enumerate(chosen, start=1):
        yield Step("passage", number, len(chosen), passage.title)
        words = language(question)
        prompt = _PROMPT[words].format(title=passage.title, text=join_broken_lines(passage.text), task=question)
        written = yield from writer.write(prompt, _ITEMS_TOKENS)
        items += apart(items_of_lines(written, passage))
    return merged(items), len(passages) - len(chosen)


def those_that_belong(
    question: str, groups: Sequence[list[Item]], writer: CheckedWriter, words_beside_them: int = 0
) -> Generator[Heartbeat | Step, None, tuple[list[list[Item]], int, int]]:
    """Has the model look at each item.

    Args:
        words_beside_them: So many words that nobody took for items are looked at, too.

    Returns:
        Those that belong; how many do not; and how many of the former were not looked at.
    """
    yield Step("compose")
    items = [group[0] for group in groups]
    belong = yield from belonging(writer.model, question, items, words_beside(items, words_beside_them))
    if belong is None:
        return list(groups), 0, len(groups)
    kept = [group for group, belongs in zip(groups, belong, strict=True) if belongs]
    return kept, len(groups) - len(kept), max(0, len(groups) - MOST_LOOKED_AT)

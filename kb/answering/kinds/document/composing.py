"""Condensed sections → the sentences of a summary: as many as were asked for, in the order of the document.

Where there are more sections than sentences, neighbours are put together, and the model writes one sentence about them;
what the judge does not find borne out gives way to the sentence that is nearest to the others.
"""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.cited_text import CitedText
from kb.answering.kinds.document.condensing import Language, is_whole
from kb.values.answers import Citation
from kb.values.chat import Heartbeat
from kb.values.passages import Passage, PassagePart

_ANSWER_TOKENS = 80
_MOST_NOTES = 4  # about which one sentence is written
_PROMPT = {
    "en": "Notes on “{title}”:\n{notes}\n\nWrite one sentence of at most 30 words that says the same. Copy names,"
    " numbers and terms exactly, keep the language, and do not speak of notes.",
    "zh": "《{title}》的笔记：\n{notes}\n\n请用一句不超过四十字的中文概括这些笔记。名称、数字和术语必须照抄原文。",
}


@dataclass(frozen=True, slots=True)
class Composer:
    """Puts sentences together.

    Attributes:
        title: Of the document.
    """

    writer: CheckedWriter
    language: Language
    title: str

    def compose(self, group: Sequence[CitedText]) -> Generator[Heartbeat, None, CitedText]:
        """Makes one sentence of those of several neighbours."""
        if len(group) == 1:
            return group[0]
        told = self._central(group)
        notes = "\n".join(f"- {each.text}" for each in group if each in told)
        prompt = _PROMPT[self.language].format(title=self.title, notes=notes)
        written = yield from self.writer.write(prompt, _ANSWER_TOKENS)
        sources = [_passage(n, each) for n, each in enumerate(_citations(told), start=1)]
        stated = yield from self.writer.checked(written, sources)
        borne_out = [each for each in stated if each.is_supported]
        return replace(borne_out[0], about=group[0].about) if borne_out else told[0]

    def _central(self, group: Sequence[CitedText]) -> list[CitedText]:
        """Those that are nearest to all of them, the nearest first; whole sentences before others."""
        vectors = self.writer.embed([each.text for each in group])
        nearness = (vectors @ vectors.mean(axis=0)).tolist()
        order = sorted(range(len(group)), key=lambda n: (not is_whole(group[n].text), -nearness[n]))
        return [group[n] for n in order[:_MOST_NOTES]]


def groups_of(texts: Sequence[CitedText], count: int) -> list[Sequence[CitedText]]:
    """Cuts sentences into so many runs of neighbours, none of which has two more than another."""
    bounds = np.linspace(0, len(texts), min(count, len(texts)) + 1).round().astype(int).tolist()
    return [texts[begin:end] for begin, end in pairwise(bounds)]


def _citations(group: Sequence[CitedText]) -> list[Citation]:
    found = {(each.start, each.end): each for text in group for each in text.citations}
    return list(found.values())


def _passage(number: int, citation: Citation) -> Passage:
    headings = (citation.heading,) if citation.heading else ()
    part = PassagePart(citation.start, citation.end, citation.page, headings, page_label=citation.page_label)
    place = (citation.document_id, citation.title, citation.source, citation.quote, citation.start, citation.end)
    return Passage(number, *place, parts=(part,), score=1.0)

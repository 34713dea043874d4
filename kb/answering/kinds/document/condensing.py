"""A section → one or two sentences of what it says, each borne out by the section.

What the model writes and the judge does not find borne out gives way to the section's own words. What was condensed is
kept with the document.
"""

import hashlib
import re
from collections.abc import Generator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Literal

from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.cited_text import CitedText, from_json, to_json
from kb.answering.kinds.document.key_passages import key_passages
from kb.answering.kinds.document.sections import Section
from kb.answering.prompts.instructions import FindInstructions, without_instructions
from kb.catalog.catalog import Catalog
from kb.citing.citations import Citer
from kb.citing.quotes import quotes_of
from kb.text.languages import language
from kb.text.sentences import join_broken_lines
from kb.values.chat import Heartbeat
from kb.values.passages import Passage, StoredChunk

Language = Literal["en", "zh"]

RECIPE = "2"
"""Version of how a section is condensed: what was made by another is made anew."""

_MOST_SENTENCES = 2
_ENDS = re.compile(r"[.!。！…][\"'”’)）」』\]]*\Z")
_ANSWER_TOKENS = 80
_QUOTE_CHARS = range(25, 280)  # of a sentence that can stand for a section
_TEXT = {
    "en": "From “{title}”, section “{section}”:\n\n{text}\n\n",
    "zh": "以下出自《{title}》的“{section}”：\n\n{text}\n\n",
}
_COPY = {
    "en": "Task: Copy the one or two sentences of this text that say the most. Leave out all others.",
    "zh": "任务：从这段文字中照抄最重要的一两句话，其余的不要写。",
}
_TRANSLATE = {
    "en": "Task: Write the main point of this text as one short sentence in English.",
    "zh": "任务：用一句简短的中文写出这段文字的要点，数字照抄原文。",
}
"""Compared with Qwen2.5-Coder 1.5B on sections of a report and a leaflet: asked for the main point in one sentence it
writes “The text describes …”, of which the judge bears out one in six; sentences that it copies need no judge."""


class Condenser:
    """Condenses sections.

    Args:
        writer: With the model and its judge.
        space: Key of the space of the embeddings.
        find_instructions: What is kept from the model.
        words: The language to write in.
    """

    def __init__(
        self,
        catalog: Catalog,
        writer: CheckedWriter,
        space: str,
        find_instructions: FindInstructions,
        words: Language,
    ) -> None:
        self._catalog = catalog
        self._writer = writer
        self._space = space
        self._find_instructions = find_instructions
        self._words: Language = words

    def kept(self, section: Section) -> tuple[CitedText, ...] | None:
        """What was made of a section before; None: nothing."""
        written = self._catalog.digests.get(section.chunks[0].document_id, self._key(section))
        return None if written is None else from_json(written)

    def condense(self, section: Section) -> Generator[Heartbeat, None, tuple[CitedText, ...]]:
        """Makes it, and keeps it.

        Returns:
            One or two sentences; none where the section holds nothing that can be quoted.
        """
        ids, rows = self._catalog.embeddings.of_chunks(self._space, [stored.id for stored in section.chunks])
        passages, _ = without_instructions(
            key_passages(section.chunks, dict(zip(ids, rows, strict=True))), self._find_instructions
        )
        written = yield from self._writer.write(self._prompt(section, passages), _ANSWER_TOKENS)
        stated = yield from self._writer.checked(_without_headings(written, section), passages)
        found = settled(stated[:_MOST_SENTENCES], passages, self._writer) or first_quote(passages)
        condensed = tuple(replace(each, about=section.name) for each in found)
        if written:
            self._catalog.digests.put(section.chunks[0].document_id, self._key(section), to_json(condensed))
        return condensed

    def _prompt(self, section: Section, passages: Sequence[Passage]) -> str:
        text = "\n".join(join_broken_lines(passage.text) for passage in passages)
        words = self._words
        task = _COPY if language(text) == words else _TRANSLATE
        return _TEXT[words].format(title=section.chunks[0].title, section=section.name, text=text) + task[words]

    def _key(self, section: Section) -> str:
        made_by = (RECIPE, self._writer.model.info.identity, self._writer.judge is not None, self._words)
        return key_of(made_by, section.chunks)


def key_of(made_by: object, chunks: Sequence[StoredChunk]) -> str:
    """Under which is kept what was made of chunks: it changes with all that decides what comes out."""
    decides = (
        made_by,
        chunks[0].title,
        chunks[0].source,
        [(stored.chunk.start, stored.chunk.text) for stored in chunks],
    )
    return hashlib.sha256(repr(decides).encode()).hexdigest()


def _without_headings(written: str, section: Section) -> str:
    headings = {heading for stored in section.chunks for heading in stored.chunk.headings}
    return "\n".join(line for line in written.splitlines() if line.strip("#* ") not in headings)


def settled(stated: Sequence[CitedText], passages: Sequence[Passage], writer: CheckedWriter) -> list[CitedText]:
    """What is borne out; in the place of what is not, the words of the place that it is about."""
    found: dict[str, CitedText] = {}
    for each in stated:
        if (each.is_supported and is_whole(each.text)) or (writer.judge is None and each.citations):
            found[each.text] = each
        elif quote := next(filter(None, (_quote(citation.quote, passages) for citation in each.citations)), None):
            found[quote.text] = quote
    return list(found.values())


def is_whole(text: str) -> bool:
    """Whether a text looks like a whole sentence: no piece of a list, and nothing that leads to one."""
    begins = next(filter(str.isalnum, text), "")
    return bool(begins) and not begins.islower() and bool(_ENDS.search(text))


def first_quote(passages: Sequence[Passage]) -> list[CitedText]:
    """The first sentence that can stand for some passages, as it stands there."""
    found = (_quote(quote.analysed_text.text, passages) for quote in quotes_of(passages))
    return list(islice(filter(None, found), 1))


def _quote(text: str, passages: Sequence[Passage]) -> CitedText | None:
    """A sentence as its own quote; None where it is none that can stand alone."""
    if len(text) not in _QUOTE_CHARS or "\n\n" in text or not is_whole(text):
        return None
    citer = Citer("", passages)
    alignment = citer.align(text)
    if alignment is None or not alignment.is_said:
        return None
    said = replace(alignment, quotes=alignment.quotes[:1])
    line = " ".join(join_broken_lines(text).split())
    return CitedText(line, citer.citations(said, (0, len(line)), "supported"))

"""A document, or a part of one, read section by section and put together; nothing is read twice."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass

from kb.answering.kinds.checked_writing import CheckedWriter
from kb.answering.kinds.cited_text import CitedText, from_json, to_json
from kb.answering.kinds.document.composing import Composer, groups_of
from kb.answering.kinds.document.condensing import RECIPE, Condenser, Language, key_of
from kb.answering.kinds.document.sections import Section, sections_of
from kb.answering.kinds.document.shape import Shape
from kb.answering.prompts.instructions import FindInstructions
from kb.catalog.catalog import Catalog
from kb.values.answers import Step
from kb.values.chat import Heartbeat
from kb.values.passages import StoredChunk

_FINEST = {"outline", "table"}  # styles that have a line for each section


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads documents.

    Attributes:
        writer: With the model and its judge.
        space: Key of the space of the embeddings.
        find_instructions: What is kept from the model.
    """

    catalog: Catalog
    writer: CheckedWriter
    space: str
    find_instructions: FindInstructions

    def summary(
        self, chunks: Sequence[StoredChunk], shape: Shape, language: Language
    ) -> Generator[Heartbeat | Step, None, tuple[CitedText, ...]]:
        """Makes the sentences of a summary, and keeps them; what is kept comes at once.

        Closing the generator stops the work; sections that are read by then are not read again.

        Args:
            chunks: Of one document, in order; one or more.
        """
        document_id, title = chunks[0].document_id, chunks[0].title
        made_by = (RECIPE, self.writer.model.info.identity, self.writer.judge is not None, language, shape)
        key = key_of(made_by, chunks)
        if kept := self.catalog.digests.get(document_id, key):
            return from_json(kept)
        sections = sections_of(chunks, at_least=shape.least_sections)
        texts = yield from self._condensed(sections, language)
        composer = Composer(self.writer, language, title)
        groups = groups_of(texts, len(texts) if shape.style in _FINEST else shape.items)
        points: list[CitedText] = []
        for number, group in enumerate(groups, start=1):
            if len(group) > 1:
                yield Step("compose", number, len(groups))
            points.append((yield from composer.compose(group)))
        self.catalog.digests.put(document_id, key, to_json(points))
        return tuple(points)

    def _condensed(
        self, sections: Sequence[Section], language: Language
    ) -> Generator[Heartbeat | Step, None, list[CitedText]]:
        condenser = Condenser(self.catalog, self.writer, self.space, self.find_instructions, language)
        texts: list[CitedText] = []
        for number, section in enumerate(sections, start=1):
            kept = condenser.kept(section)
            if kept is None:
                yield Step("section", number, len(sections), section.name)
                kept = yield from condenser.condense(section)
            texts += kept
        return texts

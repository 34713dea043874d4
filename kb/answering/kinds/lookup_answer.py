"""The answer to one question from passages that are found for it, event by event.

Whether to answer at all is decided before anything is generated: by what the search found, and then, where the model is
known for it, by what the model finds in the sources. Where that is too little, more may be looked for, once.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field, replace

from kb.answering import remarks
from kb.answering.drafting.clock import QuestionClock
from kb.answering.drafting.writing import AnswerOptions, AnswerWriter
from kb.answering.engines.judges import Judges
from kb.answering.prompts.instructions import FindInstructions, without_instructions
from kb.answering.sources.retrieval import RetrievalResult
from kb.citing.citations import EmbedSentences
from kb.ports import LanguageModel
from kb.values.answers import Answer, AnswerDelta, AnswerEvent, Done, IndexState, PassagesFound, Step
from kb.values.chat import Heartbeat

Events = Generator[AnswerEvent, None, None]

LookFurther = Callable[[Sequence[float]], Generator[Step | Heartbeat, None, bool]]
"""Looks for more, given how likely the answer to each part was found; says whether there may be more to find now."""


@dataclass(slots=True)
class LookupAnswer:
    """One question that is being answered.

    Attributes:
        retrieve: Finds the passages.
        look_further: Is asked where there is too little evidence; then the passages are found once more.
        model: Gives the language model, or None after a moment while it loads; called after the passages are out, and
            not at all without evidence.
        embed: For citations across languages.
        index: How current the index is.
        find_instructions: What is kept from the model.
        judges: Who says what the passages bear out.
        day_of: The day of a document, given its id: `2026-03-01`.
    """

    options: AnswerOptions
    retrieve: Callable[[], RetrievalResult]
    look_further: LookFurther
    model: Callable[[], LanguageModel | None]
    embed: EmbedSentences
    index: IndexState
    find_instructions: FindInstructions
    judges: Judges
    day_of: Callable[[str], str]
    _clock: QuestionClock = field(default_factory=QuestionClock)
    _answer: Answer = field(default_factory=Answer)

    def events(self) -> Events:
        """Answers the question.

        Closing the generator stops the generation.

        Yields:
            `PassagesFound` first, and again where more was looked for: that takes the place of the first. `Done` last.
        """
        found = self.retrieve()
        self._clock.mark("retrieve_ms")
        writer, evidence = yield from self._try(found)
        if writer is None and (yield from self.look_further(evidence)):
            found = self.retrieve()
            writer, _ = yield from self._try(found)
        yield from self._finish(writer) if writer else self._refuse(found)

    def _try(self, found: RetrievalResult) -> Generator[AnswerEvent, None, tuple[AnswerWriter | None, Sequence[float]]]:
        """Writes an answer from what was found.

        Returns:
            Who has written it, None where there is too little evidence; and how much there is for each part.
        """
        yield PassagesFound(found.passages)
        evidence = max(found.evidence, default=0.0)
        self._answer = replace(self._answer, passages=found.passages, evidence=evidence, index=self.index)
        if not found.passages or not self.options.answered(found.evidence):
            return None, found.evidence
        while (model := self.model()) is None:
            yield Heartbeat()
        readable, kept_back = without_instructions(found.passages, self.find_instructions)
        found = replace(found, passages=readable)
        writer = AnswerWriter(self.options, found, model, self.embed, self.judges, self._clock)
        is_answered = yield from writer.events()
        self._answer = replace(self._answer, evidence=max(writer.evidence), model=model.info.name)
        if not is_answered:
            return None, writer.evidence
        self._answer = replace(self._answer, left_out=replace(writer.left_out, instructions=kept_back))
        return writer, writer.evidence

    def _finish(self, writer: AnswerWriter) -> Events:
        """Says what is left to be said beside what was written, and puts all together."""
        draft, is_borne_out = writer.draft, not writer.draft.is_unsupported
        written = draft.answer
        disagreement = (yield from writer.disagreement(self.day_of)) if is_borne_out else ()
        if is_borne_out:
            yield from writer.remark()
        yield Done(
            replace(
                self._answer,
                answer=draft.answer if is_borne_out else remarks.unsupported(self.options.question),
                draft="" if is_borne_out else written,
                reasoning=draft.reasoning,
                citations=draft.citations,
                answerable=bool(written) and is_borne_out,
                unanswered=writer.unanswered,
                finish_reason=draft.finish_reason if is_borne_out else "unsupported",
                timings=self._clock.timings(draft.end),
                disagreement=disagreement,
            )
        )

    def _refuse(self, found: RetrievalResult) -> Iterator[AnswerEvent]:
        answer = self._answer
        text = remarks.refusal(self.options.question, found.nothing_because, answer.index.pending)
        yield AnswerDelta(text)
        yield Done(replace(answer, answer=text, finish_reason="no_evidence", timings=self._clock.timings()))

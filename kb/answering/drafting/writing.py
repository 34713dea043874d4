"""One try to answer a question from what was found, with a language model; it may turn out that there is too little.

Knows neither how the passages are found nor how the model is loaded.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace

from kb.answering import remarks
from kb.answering.drafting.clock import QuestionClock
from kb.answering.drafting.disagreement import tell_disagreement
from kb.answering.drafting.draft import Draft
from kb.answering.engines.judges import Judges
from kb.answering.prompts.prompt import Prompt, build_prompt
from kb.answering.prompts.tokens import token_counter
from kb.answering.sources.retrieval import RetrievalResult, SubQuestion
from kb.answering.understanding.form import Form
from kb.answering.understanding.thinking import ThinkingBudgets, reasoning_tokens
from kb.answering.understanding.wishes import Wish
from kb.citing.citations import Citer, EmbedSentences
from kb.errors import PromptTooLong
from kb.judging.calibration import Calibration
from kb.judging.evidence import with_look
from kb.ports import AheadReader, LanguageModel, Looker
from kb.values.answers import AnswerEvent, LeftOut, StatedValue, Thinking
from kb.values.chat import Generated, GenerationEnd, GenerationOptions, Heartbeat, Looked, Turn
from kb.values.passages import Place

LEAST_SOURCE_TOKENS = 64
"""With less room for sources there is nothing to answer from; before that, thinking gives way."""

_FITTING_ATTEMPTS = 3  # to make a prompt that fits into the context window; counting is not quite additive


@dataclass(frozen=True, slots=True)
class AnswerOptions:
    """A question with all that decides how it is answered.

    Attributes:
        parts: What it asks, one by one; the question itself if that is one thing.
        limits: Of the answer; what the reasoning may take is decided by `thinking` and `budgets`.
        passage_tokens: Budget of passages and history in the prompt.
        min_evidence: Parts of the question for which less speaks are not answered; in 0…1.
        form: Of the answer.
        wishes: For its form.
        read: Places of sources that the model has read while the question was written; in their order.
    """

    question: str
    sub_questions: Sequence[SubQuestion]
    history: Sequence[Turn]
    thinking: Thinking
    budgets: ThinkingBudgets
    limits: GenerationOptions
    passage_tokens: int
    min_evidence: float
    form: Form = "sentence"
    wishes: Sequence[Wish] = ()
    read: Sequence[Place] = ()

    def answered(self, evidence: Sequence[float]) -> list[int]:
        """Which parts have enough evidence."""
        return [n for n, likelihood in enumerate(evidence) if likelihood >= self.min_evidence]


class AnswerWriter:
    """An answer that is being written.

    Args:
        found: With enough evidence for one part at least.
        embed: For citations across languages.
        judges: Whether the model is asked for the evidence, and who judges what it writes.

    Attributes:
        evidence: For each part of the question; after the look, with what that has shown.
        left_out: What did not find room in the prompt.

    Raises:
        PromptTooLong: There is no room for anything to answer from.
    """

    def __init__(
        self,
        options: AnswerOptions,
        found: RetrievalResult,
        model: LanguageModel,
        embed: EmbedSentences,
        judges: Judges,
        clock: QuestionClock,
    ) -> None:
        self._options = options
        self._model = model
        self._judge = judges.judge(model)
        self._found = found
        self._embed = embed
        self._clock = clock
        self._tokens = token_counter(model)
        calibration = judges.calibration(model) if options.min_evidence > 0 else None
        self._calibration = calibration if calibration and calibration.can_judge("evidence") else None
        self.evidence = list(found.evidence)
        self.draft = Draft(options.question, Citer(options.question, found.passages, embed))
        self._limits = self._affordable_limits()
        self._prompt = self._fitting_prompt(found)
        self.left_out = LeftOut(self._prompt.turns_left_out, self._prompt.passages_left_out)

    @property
    def unanswered(self) -> tuple[str, ...]:
        """The parts of the question without enough evidence."""
        answered = self._options.answered(self.evidence)
        return tuple(
            sub_question.text for n, sub_question in enumerate(self._options.sub_questions) if n not in answered
        )

    def events(self) -> Generator[AnswerEvent, None, bool]:
        """Writes the answer.

        Returns:
            Whether there was enough to answer from.
        """
        question = self._question()
        is_over = yield from self._generate(question, self._calibration)
        if not self._options.answered(self.evidence):
            return False
        if not is_over:  # the look has left other parts to be answered
            yield from self._generate(self._question(), None)
        if self._judge:
            yield from self.draft.judged(self._judge, [passage.text for passage in self._found.passages])
        return True

    def read_ahead(self, model: AheadReader) -> tuple[Place, ...]:
        """Has the model read what comes before the end of a question that is still being written.

        What follows it depends on what is asked, and would have to be read again.

        Returns:
            The places of its sources.
        """
        question = self._question()
        looks = self._prompt.looks([question])
        model.read_ahead([self._prompt.asking(question, self._options.form), looks[0].messages])
        return self._prompt.places

    def disagreement(self, day_of: Callable[[str], str]) -> Generator[AnswerEvent, None, tuple[StatedValue, ...]]:
        """Says what other documents state in the place of what the answer does.

        Args:
            day_of: The day of a document: `2026-03-01`.
        """
        if not self._judge:
            return ()
        parts, passages = self._options.sub_questions, self._found.passages
        question = parts[0].query if len(parts) == 1 else self._options.question
        return (yield from tell_disagreement(self.draft, question, passages, self._judge, self._embed, day_of))

    def remark(self) -> Generator[AnswerEvent, None, None]:
        """Says which parts of the question have no source."""
        if self.unanswered:
            yield from self.draft.remark(remarks.without_source(self._options.question, self.unanswered))

    def _generate(self, question: str, calibration: Calibration | None) -> Generator[AnswerEvent, None, bool]:
        """Has the model answer a question, until it is done or the look shows that something else is to be asked."""
        stream = self._stream(question, has_look=calibration is not None)
        try:
            for item in stream:
                if isinstance(item, Looked):
                    assert calibration, "nothing is read from the model that was not asked for"
                    self._note(item, calibration)
                    if not self._options.answered(self.evidence) or self._question() != question:
                        return False
                elif isinstance(item, GenerationEnd):
                    self.draft.end = item
                elif isinstance(item, Heartbeat):
                    yield item
                else:
                    self._clock.mark("prompt_ms")
                    self._clock.mark(f"first_{item.phase}_ms")
                    yield from self.draft.add(item)
        finally:
            stream.close()
        yield from self.draft.finish()
        return True

    def _stream(self, question: str, *, has_look: bool) -> Generator[Generated, None, None]:
        parts = len(self._options.answered(self.evidence))
        messages = self._prompt.asking(question, self._options.form, parts, self._options.wishes)
        if has_look and isinstance(self._model, Looker):
            looks = self._prompt.looks([sub_question.query for sub_question in self._options.sub_questions])
            return self._model.stream_after_looks(looks, messages, self._limits)
        return self._model.stream(messages, self._limits)

    def _note(self, looked: Looked, calibration: Calibration) -> None:
        shown = calibration.log_odds("evidence", looked)
        self.evidence = [with_look(evidence, look) for evidence, look in zip(self.evidence, shown, strict=True)]

    def _question(self) -> str:
        """What the model is asked: only what there is a source for; as it was asked, if that can stand alone."""
        sub_questions, answered = self._options.sub_questions, self._options.answered(self.evidence)
        sees_last_turn = self._prompt.turns_left_out < len(self._options.history) or not self._options.history
        if len(answered) == len(sub_questions) and sees_last_turn:
            return self._options.question
        can_stand_alone = 0 in answered and sees_last_turn  # to which the others may refer
        return " ".join(sub_questions[n].text if can_stand_alone else sub_questions[n].query for n in answered)

    def _affordable_limits(self) -> GenerationOptions:
        """The limits of the generation; where the context window is small, thinking gives way to the sources."""
        options, model = self._options, self._model
        thinking = reasoning_tokens(
            options.thinking, options.budgets, options.form, len(options.sub_questions), max(self.evidence)
        )
        without_sources = self._length(build_prompt(options.question, (), (), self._tokens.count_tokens, 0))
        room = model.info.context_tokens - options.limits.answer_tokens - without_sources - LEAST_SOURCE_TOKENS
        if room < 0:
            raise PromptTooLong(
                f"the question leaves no room for sources: it takes {without_sources} tokens, and the answer may take "
                f"{options.limits.answer_tokens} of the {model.info.context_tokens} in the context window",
                "ask a shorter question, or raise KB_CONTEXT_TOKENS, or lower KB_ANSWER_TOKENS",
            )
        return replace(options.limits, reasoning_tokens=min(thinking, room) if model.info.reasons else 0)

    def _fitting_prompt(self, found: RetrievalResult) -> Prompt:
        options, model = self._options, self._model
        room = model.info.context_tokens - self._limits.answer_tokens - self._limits.reasoning_tokens
        budget, count = options.passage_tokens, self._tokens.count_tokens
        for _ in range(_FITTING_ATTEMPTS):
            prompt = build_prompt(options.question, found.passages, options.history, count, budget, options.read)
            excess = self._length(prompt) - room
            if excess <= 0:
                break
            budget -= excess
        return prompt

    def _length(self, prompt: Prompt) -> int:
        """The tokens of the longest prompt that may be asked for; the question may have to be made self-contained."""
        queries = [sub_question.query for sub_question in self._options.sub_questions]
        wordings = {self._options.question, " ".join(queries)}
        form, wishes = self._options.form, self._options.wishes
        asked = [prompt.asking(question, form, len(queries), wishes) for question in wordings]
        if self._calibration:
            asked += [look.messages for look in prompt.looks(queries)]
        return max(map(self._tokens.prompt_tokens, asked))

"""What a model writes about some passages, one request at a time: each sentence cited and judged before it is used."""

from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from itertools import chain

from kb.answering.drafting.verifying import checked_statements
from kb.answering.kinds.cited_text import CitedText
from kb.citing.citations import EmbedSentences
from kb.ports import Judge, LanguageModel
from kb.text.sentences import sentence_spans
from kb.values.answers import CheckedStatement, Citation
from kb.values.chat import Delta, GenerationEnd, GenerationOptions, Heartbeat, Message
from kb.values.passages import Passage

REQUEST_SECONDS = 300.0
"""How long one request may take, once it is its turn."""


@dataclass(frozen=True, slots=True)
class CheckedWriter:
    """Has a model write.

    Attributes:
        judge: None: only what the passages say word for word is borne out.
        embed: For citations across languages.
    """

    model: LanguageModel
    judge: Judge | None
    embed: EmbedSentences

    def write(
        self, prompt: str, answer_tokens: int, examples: Sequence[tuple[str, str]] = ()
    ) -> Generator[Heartbeat, None, str]:
        """Has the model reply, without thinking.

        Args:
            examples: Prompts of the kind, and how they are to be replied to.

        Returns:
            Its reply; what a limit has cut off, without the last, unfinished line or sentence.
        """
        limits = GenerationOptions(reasoning_tokens=0, answer_tokens=answer_tokens, seconds=REQUEST_SECONDS)
        pairs = ((Message("user", asked), Message("assistant", reply)) for asked, reply in examples)
        messages = [*chain.from_iterable(pairs), Message("user", prompt)]
        written, ended = "", False
        with closing(self.model.stream(messages, limits)) as stream:
            for item in stream:
                if isinstance(item, GenerationEnd):
                    ended = item.finish_reason == "stop"
                    continue
                if isinstance(item, Delta) and item.phase == "answer":
                    written += item.text
                yield item if isinstance(item, Heartbeat) else Heartbeat()  # so that it can be stopped at once
        return written.strip() if ended else _without_last(written)

    def checked(
        self, text: str, passages: Sequence[Passage], question: str = ""
    ) -> Generator[Heartbeat, None, list[CitedText]]:
        """Holds each statement of a text against passages.

        Args:
            question: What short statements answer.

        Returns:
            The statements, each as a text of its own.
        """
        found: list[CitedText] = []
        for item in checked_statements(text, question, lambda _: passages, self.judge, self.embed):
            if isinstance(item, CheckedStatement):
                statement = text[item.start : item.end]
                found.append(CitedText(statement, _over(statement, item)))
            else:
                yield item
        return found


def _over(statement: str, checked: CheckedStatement) -> tuple[Citation, ...]:
    return tuple(replace(each, answer_start=0, answer_end=len(statement)) for each in checked.citations)


def _without_last(written: str) -> str:
    """What was cut off, up to the last end of a line or a sentence; all of it where there is none."""
    end = written.rfind("\n")
    if end < 0:
        spans = sentence_spans(written)
        end = spans[-2][1] if len(spans) > 1 else len(written)
    return written[:end].strip()

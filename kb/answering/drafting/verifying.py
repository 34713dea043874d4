"""Any text by anybody → its statements, each held against sources and judged."""

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from kb.citing.citations import Alignment, Citer, EmbedSentences
from kb.citing.statements import statements
from kb.errors import RequestTooLarge
from kb.judging.support import is_answer
from kb.judging.verdicts import verdict_of
from kb.ports import Judge
from kb.text.sentences import Span
from kb.values.answers import CheckedStatement
from kb.values.chat import Heartbeat
from kb.values.passages import Passage, PassagePart

MOST_STATEMENTS = 200
"""Of one text; each takes about a second."""


def checked_statements(
    text: str, question: str, find: Callable[[str], Sequence[Passage]], judge: Judge | None, embed: EmbedSentences
) -> Generator[Heartbeat | CheckedStatement, None, None]:
    """Checks a text statement by statement.

    Closing the generator stops the work.

    Args:
        question: What the text answers; empty: it stands alone.
        find: Gives the passages that a statement is held against.
        judge: None: only what the passages say word for word is borne out.
        embed: For citations across languages.

    Yields:
        The statements as they are checked.

    Raises:
        RequestTooLarge: The text has too many statements.
        ModelError: The judge failed.
    """
    spans, _ = statements(text, 0, question=question, ended=True)
    if len(spans) > MOST_STATEMENTS:
        raise RequestTooLarge(
            f"the text has {len(spans):,} statements; the limit is {MOST_STATEMENTS}", "check it in several parts"
        )
    numbers: dict[tuple[str, int, int], int] = {}
    for span in spans:
        statement = yield from _checked(text[slice(*span)], span, question, find, judge, embed)
        citations = [
            replace(each, number=numbers.setdefault((each.document_id, each.start, each.end), len(numbers) + 1))
            for each in statement.citations
        ]
        yield replace(statement, citations=tuple(citations))


def needs_no_judge(alignment: Alignment, statement: str, question: str) -> bool:
    """Whether a place says the same as a statement, word for word, and that says something without the question."""
    return alignment.is_said and not is_answer(statement, question)


def passages_of(sources: Sequence[str]) -> list[Passage]:
    """Given texts in the place of passages that were found; `source` is the number of each."""
    return [
        Passage(
            n, f"source {n}", f"Source {n}", str(n), text, 0, len(text), (PassagePart(0, len(text), None, ()),), 1.0
        )
        for n, text in enumerate(sources, start=1)
    ]


def _checked(
    statement: str,
    span: Span,
    question: str,
    find: Callable[[str], Sequence[Passage]],
    judge: Judge | None,
    embed: EmbedSentences,
) -> Generator[Heartbeat, None, CheckedStatement]:
    passages = find(f"{question} {statement}" if is_answer(statement, question) else statement)
    citer = Citer(question, passages, embed)
    alignment = citer.align(statement)
    if alignment is None:
        return CheckedStatement(*span, "not_shown", None, ())
    is_said = needs_no_judge(alignment, statement, question)
    probability = None
    if judge and not is_said:
        probability = yield from judge.judge([passage.text for passage in passages], statement, question)
    verdict = verdict_of(probability, alignment.score, is_said=is_said, lacks=alignment.lacks)
    citations = citer.citations(alignment, span, verdict, probability)
    return CheckedStatement(*span, verdict, probability, citations)

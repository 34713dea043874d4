"""From a text by anybody to the stream of its verification: limits, passages, and who judges."""

from collections.abc import Callable, Generator, Sequence

from kb.answering.drafting.verifying import checked_statements, passages_of
from kb.answering.engines.routing import ready
from kb.answering.kinds.kind import Resources
from kb.answering.prompts.instructions import without_instructions
from kb.errors import InvalidRequest, RequestTooLarge
from kb.values.answers import CheckedStatement, Verification
from kb.values.chat import Heartbeat
from kb.values.filters import Filters
from kb.values.passages import Passage

MAX_CHECKED_CHARS = 40_000
"""Of the text, and of each source."""


class TextChecks:
    """Checks texts.

    Args:
        resources: Of the answers as well.
    """

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def check(
        self, text: str, question: str, sources: Sequence[str], filters: Filters
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        """Checks a text. See `kb.knowledge_base.KnowledgeBase.verify_stream`."""
        chars = max(map(len, (text, *sources)))
        if not text.strip():
            raise InvalidRequest("the text is empty", "give a text with a statement")
        if chars > MAX_CHECKED_CHARS:
            raise RequestTooLarge(
                f"there are {chars:,} characters in one text; the limit is {MAX_CHECKED_CHARS:,}", "check it in parts"
            )
        return self._events(text, question, sources, filters)

    def _events(
        self, text: str, question: str, sources: Sequence[str], filters: Filters
    ) -> Generator[Heartbeat | CheckedStatement | Verification, None, None]:
        while (model := ready(self._resources.models.looking_model)) is None:
            yield Heartbeat()
        judge, found = self._resources.judges.judge(model), []
        embed = self._resources.models.live_index().serving.embedder.embed_passages
        for item in checked_statements(text, question, self._finding(sources, filters), judge, embed):
            if isinstance(item, CheckedStatement):
                found.append(item)
            yield item
        yield Verification(tuple(found), model.info.name if judge else "")

    def _finding(self, sources: Sequence[str], filters: Filters) -> Callable[[str], Sequence[Passage]]:
        """What finds the passages that a statement is held against."""
        live_index, given = self._resources.models.live_index(), passages_of(sources)
        finder = self._resources.finders.of(live_index.serving)

        def find(statement: str) -> Sequence[Passage]:
            asked = statement[: self._resources.settings.max_question_chars]
            passages: Sequence[Passage] = given or live_index.passages(asked, self._resources.settings.top_k, filters)
            if not given and self._resources.models.looks_elsewhere:
                passages = [passage for passage in passages if not self._resources.must_stay(passage)]
            return without_instructions(passages, finder.found)[0]

        return find

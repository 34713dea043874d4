"""A conversation as Markdown that stands alone: its quotes are footnotes. Pure."""

from kb.values.answers import Citation
from kb.values.conversations import KeptConversation, KeptTurn

_SIGNS = {"supported": "", "contradicted": "(speaks against it)", "not_shown": "(not confirmed)"}


def as_markdown(conversation: KeptConversation) -> str:
    """Writes a conversation: each question a heading, each citation a footnote of its own number."""
    notes: list[str] = []
    parts = [f"# {_one_line(conversation.info.title)}"]
    for turn in conversation.turns:
        parts += [f"## {_one_line(turn.question)}", _with_marks(turn, notes)]
    return "\n\n".join([*filter(None, parts), *notes]) + "\n"


def _with_marks(turn: KeptTurn, notes: list[str]) -> str:
    """The answer with a mark behind what each citation is about; adds the footnotes."""
    numbers: dict[int, int] = {}
    pieces, written = [], 0
    for citation in sorted(turn.citations, key=lambda each: (each.answer_end, each.number)):
        if citation.number not in numbers:
            notes.append(f"[^{len(notes) + 1}]: {_told(citation)}")
            numbers[citation.number] = len(notes)
        end = len(turn.answer[: citation.answer_end].rstrip())
        pieces.append(f"{turn.answer[written:end]}[^{numbers[citation.number]}]")
        written = max(written, end)
    return "".join([*pieces, turn.answer[written:]]).strip()


def _told(citation: Citation) -> str:
    label = f"p. {citation.page_label} (sheet {citation.page})" if citation.page_label else f"p. {citation.page}"
    where = ", ".join(filter(None, [citation.source, label if citation.page else "", citation.heading]))
    quote = f"“{_one_line(citation.quote)}”" if citation.quote else ""
    document = f"{_one_line(citation.title)} ({_one_line(where)})"
    return " ".join(filter(None, [document, quote, _SIGNS[citation.verdict]]))


def _one_line(text: str) -> str:
    return " ".join(text.split())

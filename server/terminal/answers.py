"""Answers as they stream, with their sources; and passages without an answer."""

from collections.abc import Sequence

from pydantic import BaseModel
from rich.text import Text

from kb.values.answers import StepName, Verdict
from server.http import schemas
from server.terminal.cleaning import printable
from server.terminal.console import err, escaped, out
from server.terminal.reasons import early_end, elsewhere, kept_back, no_room, personal

QUOTE_CHARS = 200

_VERDICTS: dict[Verdict, tuple[str, str]] = {
    "supported": ("supported   ", "green"),
    "contradicted": ("contradicted", "red"),
    "not_shown": ("not shown   ", "yellow"),
}

_STEPS: dict[StepName, str] = {
    "words": "looking for the words under which it may stand",
    "leads": "following what was found",
    "part": "looking up part {which}",
    "section": "reading section {which}",
    "passage": "reading passage {which}",
    "numbers": "looking for the numbers",
    "compose": "putting the answer together",
}


class AnswerView:
    """Draws one answer while it comes: reasoning dim and apart, the answer, then its sources."""

    def __init__(self, show_reasoning: bool) -> None:
        self._show_reasoning = show_reasoning
        self._thinking = False
        self._in_line = False

    def close(self) -> None:
        """Ends the line of a thought or an answer that broke off."""
        self._end_thought()
        if self._in_line:
            out.print()
        self._in_line = False

    def show(self, body: BaseModel) -> None:
        """Draws one event."""
        match body:
            case schemas.PassagesEvent():
                found = ", ".join(dict.fromkeys(passage.source for passage in body.passages))
                err.print(f"[dim]found: {escaped(found or 'nothing')}[/]")
            case schemas.WaitingEvent():
                err.print(f"[dim]{_queue(body.place)}[/]")
            case schemas.StepEvent():
                self.close()
                err.print(f"[dim]{escaped(_step(body))}[/]")
            case schemas.ReasoningEvent():
                self._show_thought(body.text)
            case schemas.AnswerEvent():
                self._end_thought()
                out.print(Text(printable(body.text)), end="")
                self._in_line = True
            case schemas.Answer():
                self.close()
                self._show_sources(body)

    def _show_thought(self, text: str) -> None:
        if not self._thinking:
            err.print("[dim]thinking …[/]")
        self._thinking = True
        if self._show_reasoning:
            err.print(Text(printable(text), style="dim italic"), end="")

    def _end_thought(self) -> None:
        if self._thinking and self._show_reasoning:
            err.print("\n")
        self._thinking = False

    def _show_sources(self, answer: schemas.Answer) -> None:
        if answer.draft:
            out.print(f"\n[yellow]{escaped(answer.answer)}[/]")
        if answer.answerable or answer.draft:
            show_citations(answer.citations, QUOTE_CHARS)
        else:
            show_passages(answer.passages)
        _show_changed_files(answer.index)
        if answer.finish_reason == "no_evidence":
            return
        seconds, tokens = answer.timings.total_ms / 1000, answer.timings.prompt_tokens
        spent = [answer.kind, answer.model, f"{seconds:.1f} s", f"{tokens} prompt tokens" if tokens else ""]
        err.print(f"\n[dim]{escaped(' · '.join(filter(None, spent)))}[/]")
        left_out = answer.left_out
        kept = (no_room(left_out), kept_back(left_out), elsewhere(answer))
        remarks = (early_end(answer), *kept, personal(answer.personal))
        for remark in filter(None, remarks):
            err.print(f"[dim]{remark}.[/]")


def show_citations(citations: Sequence[schemas.Citation], quote_chars: int | None = None) -> None:
    """Lists what an answer cites, each quote once.

    Args:
        quote_chars: Longer quotes are cut; None: they are shown whole.
    """
    for citation in {citation.number: citation for citation in citations}.values():
        doubt = _doubt([other.verdict for other in citations if other.number == citation.number])
        out.print(f"\n[bold]\\[{citation.number}][/] {escaped(_place(citation))}{doubt}")
        out.print(f"    [dim]{escaped(_shortened(citation.quote, quote_chars))}[/]")


def show_verification(text: str, found: schemas.Verification) -> None:
    """Lists the statements of a text with their verdicts, and what they are held against."""
    if not found.judge:
        err.print("[yellow]no model has judged: only what the documents say word for word counts as supported[/]")
    for statement in found.statements:
        sign, style = _VERDICTS[statement.verdict]
        likely = "" if statement.probability is None else f" [dim]({statement.probability:.0%} likely)[/]"
        said = escaped(_shortened(text[statement.start : statement.end], None))
        out.print(f"\n[{style}]{sign}[/] {said}{likely}")
        for citation in statement.citations:
            out.print(f"    [dim]{escaped(_place(citation))}: {escaped(_shortened(citation.quote, QUOTE_CHARS))}[/]")
    supported = sum(statement.verdict == "supported" for statement in found.statements)
    err.print(f"\n[dim]{supported} of {len(found.statements)} statements are borne out[/]")


def _doubt(verdicts: Sequence[Verdict]) -> str:
    if all(verdict == "supported" for verdict in verdicts):
        return ""
    if "contradicted" in verdicts:
        return " [red](the quote speaks against the sentence)[/]"
    what = "all sentences that it stands for" if "supported" in verdicts else "the sentence"
    return f" [yellow](the quote does not confirm {what})[/]"


def show_passages(passages: Sequence[schemas.Passage], unseen: Sequence[int] = ()) -> None:
    """Lists passages with their place.

    Args:
        unseen: Numbers of those that the model did not see.
    """
    for passage in passages:
        remark = " [dim](not seen by the model)[/]" if passage.number in unseen else ""
        out.print(f"\n[bold]{passage.number}.[/] {escaped(_place(passage))}{remark}")
        out.print(f"   [dim]{escaped(_shortened(passage.text, QUOTE_CHARS))}[/]")
        if passage.older_versions:
            out.print(f"   [yellow]older versions, left out:[/] {escaped(', '.join(passage.older_versions))}")


def _queue(place: int) -> str:
    if place == 0:
        return "it is your turn"
    return "1 question before yours" if place == 1 else f"{place} questions before yours"


def _step(step: schemas.StepEvent) -> str:
    of = f" of {step.of}" if step.of else ""
    doing = _STEPS[step.doing].format(which=f"{step.number}{of}")
    return f"{doing}: {step.about}" if step.about else doing


def _place(item: schemas.Passage | schemas.Citation) -> str:
    where = [item.source]
    if item.page:
        where.append(f"p. {item.page_label} (sheet {item.page})" if item.page_label else f"p. {item.page}")
    if item.heading:
        where.append(item.heading)
    if item.by_ocr:
        where.append("read by OCR")
    return " · ".join(where)


def _shortened(text: str, limit_chars: int | None) -> str:
    line = " ".join(text.split())
    return line if limit_chars is None or len(line) <= limit_chars else line[:limit_chars].rstrip() + " …"


def _show_changed_files(index: schemas.Index) -> None:
    if index.refreshed:
        err.print(f"\n[dim]changed, and brought up to date for this answer: {escaped(', '.join(index.refreshed))}[/]")
    if index.stale:
        err.print(f"\n[yellow]changed or gone, so left out of this answer: {escaped(', '.join(index.stale))}[/]")

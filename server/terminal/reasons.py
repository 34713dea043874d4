"""Why an answer is as it is, in words. Pure."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

from server.http import schemas


def reasons(answer: schemas.Answer, min_evidence: float | None = None) -> Iterator[str]:
    """Says why an answer is as it is, apart from the reasoning of the model.

    Args:
        min_evidence: How likely an answer must be to be given, in 0…1; None: not known.
    """
    if answer.finish_reason == "no_evidence":
        yield from _refusal(answer, min_evidence)
    if end := early_end(answer):
        yield f"{end}."
    if answer.unanswered:
        yield f"Nothing was found that answers: {'; '.join(answer.unanswered)}"
    if left_out := no_room(answer.left_out):
        yield f"{left_out}."
    if kept := kept_back(answer.left_out):
        yield f"{kept}."
    if here := elsewhere(answer):
        yield f"{here}."
    if answer.index.stale:
        yield f"Left out, because changed or gone and not read anew in time: {', '.join(answer.index.stale)}."


def early_end(answer: schemas.Answer) -> str:
    """Says how an answer that was begun ended otherwise than it should; empty if it did not."""
    match answer.finish_reason:
        case "length":
            return "The answer reached its length limit and stops there"
        case "cancelled":
            return "The answer was broken off"
        case "unsupported":
            return "Nothing of what the model wrote is borne out by what was found"
        case "stop" if not answer.answerable:
            return "The model wrote nothing"
    return ""


def no_room(left_out: schemas.LeftOut) -> str:
    """Says what the model did not see for lack of room; empty if it saw all."""
    numbers = [str(number) for number in left_out.passages]
    what = [_counted(left_out.turns, "earlier turn")] if left_out.turns else []
    if numbers:
        what.append(f"{'passage' if len(numbers) == 1 else 'passages'} {', '.join(numbers)}")
    return f"The model did not see {' and '.join(what)}, for lack of room" if what else ""


def kept_back(left_out: schemas.LeftOut) -> str:
    """Says what of the documents the model was not to read; empty if it read all."""
    if not left_out.instructions:
        return ""
    return f"The model did not see {_counted(left_out.instructions, 'sentence')} that would tell it what to answer"


def elsewhere(answer: schemas.Answer) -> str:
    """Says what was kept from a model elsewhere, or who answered in its place; empty if neither."""
    said = []
    if answer.left_out.kept_here:
        said.append(f"{_counted(answer.left_out.kept_here, 'passage')} stayed here, as KB_LOCAL_ONLY says")
    if answer.instead:
        said.append(f"{answer.model} has answered instead, because {answer.instead}")
    return "; ".join(said)


def personal(found: Sequence[schemas.PersonalData]) -> str:
    """Says what personal data an answer holds; empty if none, or nobody looks for it."""
    kinds = Counter(each.kind.replace("_", " ") for each in found)
    return f"It holds personal data: {', '.join(f'{n} × {kind}' for kind, n in kinds.items())}" if kinds else ""


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}" if n == 1 else f"{n} {noun}s"


def _refusal(answer: schemas.Answer, min_evidence: float | None) -> Iterator[str]:
    if not answer.passages:
        yield "The model was not asked, because nothing was found at all."
        return
    if answer.model:
        yield "The model was asked whether what was found holds an answer; with that, too little speaks for it."
    else:
        yield "The model was not asked, because what was found does not seem to hold an answer."
    needed = "" if min_evidence is None else f", and {min_evidence:g} is needed (KB_MIN_EVIDENCE)"
    # Rounded down, so that what was too little never looks like enough.
    yield f"The evidence is {math.floor(answer.evidence * 100) / 100:.2f} of 1{needed}; see /sources."

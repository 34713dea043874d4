"""What is said of a statement, by how likely it is to be borne out and by what needs no judge. Pure.

Of the labelled statements that a model has not seen, some 5 % of the false ones are likelier than `SUPPORTED`; the
figures of each model are those of `kb eval judge`.
"""

from kb.values.answers import Verdict

SUPPORTED = 0.8
"""What is at least so likely is said to be borne out."""

CONTRADICTED = 0.2
"""What is at most so likely is said to be contradicted, by a place that is about the same."""

_SAME_SUBJECT = 0.5


def verdict_of(probability: float | None, score: float, *, is_said: bool, lacks: bool) -> Verdict:
    """Decides.

    Args:
        probability: That the statement is borne out, in 0…1; None: nobody could tell.
        score: How much of its words the place holds that it is held against, in 0…1.
        is_said: Whether that place says the same, word for word.
        lacks: Whether the statement has a number or a name that no place has.
    """
    if not lacks and (is_said or (probability is not None and probability >= SUPPORTED)):
        return "supported"
    if probability is not None and probability <= CONTRADICTED and score >= _SAME_SUBJECT:
        return "contradicted"
    return "not_shown"

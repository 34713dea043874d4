"""Measures over the questions of a run, by name. Pure.

A measure is a share in 0…1 unless its name ends with a unit: `_seconds`, `_tokens` or `_count`.
"""

import statistics
from collections.abc import Iterable, Mapping, Sequence

DEPTHS = (1, 5, 10)
"""The k of recall@k."""

Metrics = Mapping[str, float]


def recall(ranks: Sequence[int | None], k: int) -> float:
    """The share of questions whose right item is among the first k.

    Args:
        ranks: For each question the 1-based rank of the right item; None where it was not found. Not empty.
    """
    return share(rank is not None and rank <= k for rank in ranks)


def mean_reciprocal_rank(ranks: Sequence[int | None]) -> float:
    """The mean of 1 / rank, 0 for what was not found (Voorhees 1999); as `recall` for the rest."""
    return statistics.fmean(1 / rank if rank else 0.0 for rank in ranks)


def share(values: Iterable[bool]) -> float:
    """The share of values that are true; there is at least one."""
    return statistics.fmean(map(float, values))


def ranking_metrics(ranks: Sequence[int | None], of: str = "") -> dict[str, float]:
    """Recall at each depth, and the mean reciprocal rank; nothing where there are no questions.

    Args:
        of: What is ranked, to tell it from other things; comes before the names.
    """
    if not ranks:
        return {}
    before = f"{of} " if of else ""
    return {
        **{f"{before}recall@{k}": recall(ranks, k) for k in DEPTHS},
        f"{before}mrr": mean_reciprocal_rank(ranks),
    }

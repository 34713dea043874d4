"""A test set with something missing, so that it asks for what the documents do not hold. Pure.

Two ways: whole articles are gone, and nothing is about what is asked; or single paragraphs are, and what stands around
them sounds as if it held the answer.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from server.measure.eval.squad import Article, Asked

_ARTICLES_PER_GAP = 4


@dataclass(frozen=True, slots=True)
class Gapped:
    """What is left of a test set, and what is asked about the rest.

    Attributes:
        name: What is gone.
        asked: The questions whose paragraph is gone.
    """

    name: str
    articles: tuple[Article, ...]
    asked: tuple[Asked, ...]


def gapped_sets(articles: Sequence[Article], asked: Sequence[Asked]) -> list[Gapped]:
    """Makes both kinds; one that leaves nothing to ask, or nothing to answer from, is left out."""
    made = [
        _gapped("article gone", articles, asked, lambda i, _: i % _ARTICLES_PER_GAP == 0),
        _gapped("paragraph gone", articles, asked, lambda i, k: k == i % len(articles[i].paragraphs)),
    ]
    return [gapped for gapped in made if gapped.articles and gapped.asked]


def _gapped(
    name: str, articles: Sequence[Article], asked: Sequence[Asked], is_gone: Callable[[int, int], bool]
) -> Gapped:
    kept = [
        replace(article, paragraphs=tuple(text for k, text in enumerate(article.paragraphs) if not is_gone(i, k)))
        for i, article in enumerate(articles)
    ]
    return Gapped(
        name,
        tuple(article for article in kept if article.paragraphs),
        tuple(one for one in asked if is_gone(*one.place)),
    )

from server.measure.eval.gaps import Gapped, gapped_sets
from server.measure.eval.questions import Question
from server.measure.eval.squad import Article, Asked


def article(number: int, paragraphs: int) -> Article:
    return Article(f"T{number}", tuple(f"{number}.{k}" for k in range(paragraphs)))


def asked_of(articles: list[Article]) -> list[Asked]:
    """Two questions to each paragraph, which have its text as their answer."""
    return [
        Asked(Question(f"{text} {n}", "Why?", (text,)), (i, k))
        for i, article in enumerate(articles)
        for k, text in enumerate(article.paragraphs)
        for n in range(2)
    ]


def left(gapped: Gapped) -> set[str]:
    return {text for article in gapped.articles for text in article.paragraphs}


ARTICLES = [article(number, 3) for number in range(6)]


def test_every_fourth_article_is_gone() -> None:
    whole, _ = gapped_sets(ARTICLES, asked_of(ARTICLES))
    assert whole.name == "article gone"
    assert list(whole.articles) == [ARTICLES[1], ARTICLES[2], ARTICLES[3], ARTICLES[5]]


def test_one_paragraph_of_each_article_is_gone_and_not_always_the_same() -> None:
    _, single = gapped_sets(ARTICLES, asked_of(ARTICLES))
    assert single.name == "paragraph gone"
    assert [len(kept.paragraphs) for kept in single.articles] == [2] * len(ARTICLES)
    assert {f"{n}.{k}" for n in range(6) for k in range(3)} - left(single) == {"0.0", "1.1", "2.2", "3.0", "4.1", "5.2"}


def test_what_is_asked_is_exactly_what_is_gone() -> None:
    asked = asked_of(ARTICLES)
    for gapped in gapped_sets(ARTICLES, asked):
        assert gapped.asked == tuple(one for one in asked if one.question.answers[0] not in left(gapped))
        assert gapped.asked


def test_article_of_one_paragraph_is_no_document_without_it() -> None:
    articles = [article(0, 1), article(1, 2)]
    _, single = gapped_sets(articles, asked_of(articles))
    assert single.articles == (Article("T1", ("1.0",)),)


def test_gap_that_leaves_nothing_to_answer_from_is_left_out() -> None:
    assert [gapped.name for gapped in gapped_sets([article(0, 2)], asked_of([article(0, 2)]))] == ["paragraph gone"]
    assert gapped_sets([article(0, 1)], asked_of([article(0, 1)])) == []


def test_gap_that_leaves_nothing_to_ask_is_left_out() -> None:
    about_the_second = [one for one in asked_of(ARTICLES) if one.place == (1, 1)]
    assert [gapped.name for gapped in gapped_sets(ARTICLES, about_the_second)] == ["paragraph gone"]

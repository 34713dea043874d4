import pytest

from ingest.pages.alignment import align


def under(text: str, drawn: str, stretch: str) -> str:
    """What is drawn under the characters of a stretch of the text."""
    start = text.index(stretch)
    places = align(text, drawn)[start : start + len(stretch)]
    return "".join(drawn[place] for place in dict.fromkeys(places) if place >= 0)


@pytest.mark.parametrize(
    ("text", "drawn", "stretch", "expected"),
    [
        ("The otter sleeps.", "The otter\r\nsleeps.", "otter sleeps", "ottersleeps"),
        ("an example of it", "an exam-\r\nple of it", "example", "example"),
        ("an example of it", "an exam\u00adple of it", "example", "example"),
        ("the first office", "the ﬁrst oﬃce", "first office", "ﬁrstoﬃce"),
        ("几页长度", "⼏⻚⻓度", "页长度", "⻚⻓度"),
        ("grows to 10^6 of them", "grows to 106 of them", "10^6 of", "106of"),
        ("seals eat fish every day", "seals eat fish¹² every day", "fish every", "fishevery"),
        ("left one\nleft two\nright one\nright two", "left one right one\r\nleft two right two", "left two", "lefttwo"),
        ("Total 12 45\nOther 13 46", "Total\r\nOther\r\n12\r\n13\r\n45\r\n46", "Other 13 46", "Other1346"),
        (
            "Sales: May | June ; All | 1\nTea 2",
            "Sales\r\nMay June All 1\r\nTea 2",
            "May | June ; All | 1",
            "MayJuneAll1",
        ),
        ("Ｆｕｌｌ　ｗｉｄｔｈ", "Full width", "Ｆｕｌｌ　ｗｉｄｔｈ", "Fullwidth"),
    ],
)
def test_a_stretch_is_found_where_it_is_drawn(text: str, drawn: str, stretch: str, expected: str) -> None:
    assert under(text, drawn, stretch) == expected


def test_of_equal_stretches_each_has_its_own_place() -> None:
    text = "Revenue 100\nCosts 40\nRevenue 100\nCosts 40"
    places = align(text, text.replace("\n", "\r\n"))
    assert places[: len("Revenue 100")] != places[len("Revenue 100\nCosts 40\n") :][: len("Revenue 100")]
    found = [place for place in places if place >= 0]
    assert found == sorted(set(found))


def test_what_is_not_there_has_no_place_and_takes_none_from_others() -> None:
    text = "A text of seals\n\nNote by Jane: seals"
    drawn = "A text of seals"
    assert under(text, drawn, "A text of seals") == "Atextofseals"
    assert align("zebra", drawn) == [-1] * 5
    assert under("ate ext A text of seals", drawn, "A text of seals") == "Atextofseals"


def test_a_page_of_one_letter_does_not_take_long() -> None:
    assert align("a" * 20_000, "a" * 20_000) == list(range(20_000))
    assert set(align("ab" * 3000, "ba" * 3000 + "c")) - {-1} <= set(range(6001))

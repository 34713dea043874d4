import pytest

from server.http.openai.stops import StopText


@pytest.mark.parametrize(
    ("stops", "text", "expected"),
    [
        ([], "all of it", "all of it"),
        ([""], "all of it", "all of it"),
        (["."], "one. two.", "one"),
        (["END"], "an EN, an END here", "an EN, an "),
        (["\n\n", "two"], "one two\n\nthree", "one "),
        (["aab"], "aaab", "a"),
        (["missing"], "it is miss", "it is miss"),
    ],
)
def test_text_ends_before_the_first_stop_however_it_is_cut(stops: list[str], text: str, expected: str) -> None:
    for cut in range(len(text) + 1):
        stop = StopText(stops)
        assert stop.add(text[:cut]) + stop.add(text[cut:]) + stop.finish() == expected
        assert stop.is_found == (expected != text)
    stop = StopText(stops)
    assert "".join(map(stop.add, text)) + stop.finish() == expected

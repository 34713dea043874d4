import re
from collections.abc import Sequence

import pytest

from kb.generation.disguise import Disguise, hidden_alone, texts_of
from kb.values.chat import Delta, Generated, GenerationEnd, Heartbeat, Look, Message
from kb.values.personal import Personal

END = GenerationEnd("stop", 1, 1, 1)


def find(text: str) -> list[Personal]:
    """Finds numbers of seven digits, and words with an @."""
    kinds = {True: "email", False: "phone"}
    return [
        Personal(kinds["@" in match[0]], *match.span())  # type: ignore[arg-type]
        for match in re.finditer(r"\w+@\w+|\d{7}", text)
    ]


def restored(disguise: Disguise, items: Sequence[Generated | Exception]) -> list[Generated | Exception]:
    delivered: list[Generated | Exception] = []
    take = disguise.restoring(delivered.append)
    for item in items:
        take(item)
    return delivered


def test_the_same_has_the_same_placeholder_in_all_texts_and_each_other_another() -> None:
    messages = (Message("system", "Ask ann@home."), Message("user", "Ann (ann@home, 1234567) or bo@home, 7654321?"))
    look = Look((Message("user", "Is it 7654321?"),), "Yes", "No")
    disguise = Disguise(find, texts_of([look], messages))
    assert [each.content for each in disguise.messages(messages)] == [
        "Ask EMAIL_1.",
        "Ann (EMAIL_1, PHONE_2) or EMAIL_2, PHONE_1?",
    ]
    assert disguise.looks([look]) == [Look((Message("user", "Is it PHONE_1?"),), "Yes", "No")]
    assert disguise.counts == {"email": 2, "phone": 2}


def test_what_stands_in_a_text_already_is_no_placeholder() -> None:
    texts = ["PHONE_1 is the name of a field.", "Ring 1234567."]
    disguise = Disguise(find, texts)
    assert [disguise.hidden(text) for text in texts] == [texts[0], "Ring PHONE_2."]
    first, second, _ = restored(disguise, [Delta("answer", "PHONE_1 and PHONE_2"), END])
    assert (first, second) == (Delta("answer", "PHONE_1 and "), Delta("answer", "1234567"))


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("Ring PHONE_1, or write to EMAIL_1.", "Ring 1000001, or write to ann@home."),
        ("电话是PHONE_1。", "电话是1000001。"),
        ("PHONE_1PHONE_11 phone_2", "10000011000011 1000002"),
        ("PHONE_12 is PHON and PHONE_", "PHONE_12 is PHON and PHONE_"),
        ("EMAIL_1", "ann@home"),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 5, 100])
def test_a_reply_is_restored_however_it_is_cut(reply: str, expected: str, size: int) -> None:
    disguise = Disguise(find, ["ann@home " + " ".join(str(1000000 + n) for n in range(1, 12))])
    pieces = [Delta("answer", reply[start : start + size]) for start in range(0, len(reply), size)]
    *deltas, end = restored(disguise, [*pieces, END])
    assert "".join(each.text for each in deltas if isinstance(each, Delta)) == expected
    assert end == END


def test_what_is_held_back_comes_before_the_answer_begins_and_other_items_pass_at_once() -> None:
    disguise = Disguise(find, ["1234567"])
    error = ValueError("broken")
    assert restored(
        disguise, [Delta("reasoning", "so PHO"), Heartbeat(), Delta("answer", "NE_1"), Delta("answer", " P"), error]
    ) == [
        Delta("reasoning", "so "),
        Heartbeat(),
        Delta("reasoning", "PHO"),
        Delta("answer", "NE_1"),
        Delta("answer", " "),
        error,
    ]


def test_no_exchange_restores_what_another_one_has_hidden() -> None:
    assert hidden_alone("Ring 1234567.", find) == "Ring PHONE_1."
    assert restored(Disguise(find, ["Nothing here."]), [Delta("answer", "PHONE_1")]) == [Delta("answer", "PHONE_1")]

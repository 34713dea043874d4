import re

import pytest

from kb.text.numerals import NUMERAL, value


@pytest.mark.parametrize(
    ("written", "figures"),
    [
        ("五", "5"),
        ("两", "2"),
        ("十", "10"),
        ("十二", "12"),
        ("三十", "30"),
        ("一百零五", "105"),
        ("二千三百四十五", "2345"),
        ("二〇二三", "2023"),
        ("12.5", "12.5"),
        ("٣", "٣"),
    ],
)
def test_value(written: str, figures: str) -> None:
    assert value(written) == figures


def test_numeral_is_recognised() -> None:
    assert re.findall(NUMERAL, "一共三十个，一百零五人") == ["一", "三十", "一百零五"]

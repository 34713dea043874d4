"""Numbers that are written in Chinese characters.

Pure. Knows simplified characters only.
"""

_DIGITS = {character: n for n, character in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 10, "百": 100, "千": 1000}

NUMERAL = f"[{''.join([*_DIGITS, *_PLACES])}]+"
"""What such a number looks like, as a regular expression."""


def value(written: str) -> str:
    """A number in figures: 一百零五 is 105, 二〇二三 is 2023; what is in figures stays."""
    if written[0] not in _DIGITS and written[0] not in _PLACES:
        return written
    total, digit = 0, 0
    for character in written:
        if character in _PLACES:
            total += max(digit, 1) * _PLACES[character]
            digit = 0
        else:
            digit = digit * 10 + _DIGITS[character]
    return str(total + digit)

"""Characters in one writing, so that what looks or means the same can be matched: width, Chinese script, hyphens.

Pure. For matching only: what it returns has other offsets and is never shown.
"""

import re
import unicodedata
from functools import cache

from kb.text.radicals import without_radicals

CJK = (
    "\u3005-\u3007"  # 々〆〇
    "\u3040-\u309f\u30a1-\u30fa\u30fc-\u30ff"  # kana, without ・, which stands between words
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7af"  # Hangul
)
"""What Chinese, Japanese and Korean are written in, as the inside of a character class."""

HAN = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")

_CJK_FIRST = re.compile(f"[{CJK}]")
_INVISIBLE = re.compile("[\u00ad\u200b-\u200d\u2060\ufeff](?:(?<=\u00ad)\n[ \t]*)?")
_DASH = re.compile("[\u2010-\u2013\u2212]")
_ACCENT = re.compile("[\u0300-\u036f]+")
_TRADITIONAL_RANGES = ((0x3400, 0x4DC0), (0x4E00, 0xA000))
_TO_SIMPLIFIED = "hk2s"  # what t2s does, and the characters that only Hong Kong writes


def in_one_writing(text: str) -> str:
    """Writes full-width forms as half-width ones, radicals as characters, traditional as simplified, any hyphen as `-`.

    Soft hyphens and other invisible characters go, together with the line end behind a soft hyphen.
    """
    if text.isascii():
        return text
    text = _DASH.sub("-", _INVISIBLE.sub("", unicodedata.normalize("NFKC", without_radicals(text))))
    if not HAN.search(text):
        return text
    traditional, simplified = _simplified()
    return traditional.sub(lambda match: simplified[match[0]], text)


def without_accents(word: str) -> str:
    """Leaves the accents of letters out."""
    return unicodedata.normalize("NFC", _ACCENT.sub("", unicodedata.normalize("NFD", word)))


def is_cjk(term: str) -> bool:
    """Whether a term starts with a Chinese, Japanese or Korean character."""
    return bool(_CJK_FIRST.match(term))


@cache
def _simplified() -> tuple[re.Pattern[str], dict[str, str]]:
    """What finds a traditional character, and the simplified form of each.

    One character at a time, from OpenCC's table: text and question go the same way, so a choice that only context
    could make right, such as 乾 for 干, does no harm.
    """
    from opencc import OpenCC

    characters = "".join(chr(point) for first, end in _TRADITIONAL_RANGES for point in range(first, end))
    converted = OpenCC(_TO_SIMPLIFIED).convert("\n".join(characters)).split("\n")
    simplified = {one: other for one, other in zip(characters, converted, strict=True) if one != other}
    return re.compile(f"[{''.join(simplified)}]"), simplified

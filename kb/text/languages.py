"""Which language a text is in, and which one a question is asked in. Pure."""

import re
from typing import Literal

from kb.text.scripts import HAN

_LETTER = re.compile(r"[^\W\d_]")
_ASKING: dict[Literal["zh", "en"], re.Pattern[str]] = {
    "zh": re.compile(r"什么|怎|哪|谁|多少|几|为何|如何|何时|是否|有没有|[吗呢]"),
    "en": re.compile(
        r"\b(?:who|whom|whose|what|when|where|which|why|how|is|are|was|were|do|does|did|can)\b", re.IGNORECASE
    ),
}


def language(text: str) -> Literal["zh", "en"]:
    """Says in which language to answer: `zh` where Han characters are at least a fifth of the letters."""
    letters = len(_LETTER.findall(text))
    return "zh" if letters and len(HAN.findall(text)) * 5 >= letters else "en"


def asked_in(question: str) -> Literal["zh", "en"]:
    """Says in which language a question is asked: by the words that ask, since it may be about things in the other."""
    asks = [language for language, words in _ASKING.items() if words.search(question)]
    return asks[0] if len(asks) == 1 else language(question)

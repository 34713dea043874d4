"""About how many tokens a text has, for whoever cannot count them. Pure."""

import math
import re

_DENSE = re.compile(r"[^\x00-\x7f]|\d")  # Chinese, and what else vocabularies mostly have no longer pieces of
_SPARSE_CHARS_PER_TOKEN = 3.5
_MARGIN = 1.2


def estimated_tokens(text: str) -> int:
    """Rather too many than too few: a character that is a digit or not ASCII is one token, 3.5 others are one, and a
    fifth is added."""
    dense = len(_DENSE.findall(text))
    return math.ceil(_MARGIN * (dense + (len(text) - dense) / _SPARSE_CHARS_PER_TOKEN))

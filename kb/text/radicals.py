"""Radicals in the place of Han characters, as the fonts of many PDF files have it: `⻚` looks like `页` and is another.

Pure. Unicode has two blocks of them: that of Kangxi is known to NFKC, of the supplement only two are.
"""

import re
import unicodedata

_SUPPLEMENT = (  # those that also stand alone as a character: EquivalentUnifiedIdeograph.txt of Unicode
    "⺁厂⺄乙⺈刀⺊卜⺌小⺎兀⺏尣⺒巳⺓幺⺛旡⺜日⺝月⺞歺⺟母⺠民⺧牛⺩王⺪疋⺫目⺬示⺮竹⺶羊⺻聿⺽臼⻁虎⻄西⻅见⻆角⻉贝⻊足⻋车⻑長⻓长⻔门⻗雨⻘青⻙韦⻚页⻛风"
    "⻜飞⻝食⻢马⻣骨⻤鬼⻥鱼⻦鸟⻧卤⻨麦⻩黄⻪黾⻫斉⻬齐⻭歯⻮齿⻯竜⻰龙⻱龜⻲亀⻳龟"
)
_KANGXI = range(0x2F00, 0x2FD6)
_RADICAL = re.compile("[\u2e80-\u2fd5]")
_CHARACTERS = {
    **{point: unicodedata.normalize("NFKC", chr(point)) for point in _KANGXI},
    **dict(zip(map(ord, _SUPPLEMENT[::2]), _SUPPLEMENT[1::2], strict=True)),
}


def without_radicals(text: str) -> str:
    """Writes the Han character in the place of each radical that looks like it; the length stays."""
    return text.translate(_CHARACTERS) if _RADICAL.search(text) else text

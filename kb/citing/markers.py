"""Takes the marks of sources that a model writes by itself, such as `[2]`, out of an answer while it arrives in pieces.

They point nowhere: the service makes the citations. It knows text alone. Invariants: code, links and all else that only
looks alike comes out as it is, and how the text was cut into pieces changes nothing.
"""

import re

_WORDS = (
    *("source", "sources", "passage", "passages", "document", "documents", "doc", "reference", "references", "ref"),
    *("citation", "来源", "资料", "文档", "段落", "参考", "参考资料", "引用", "出处", "文献"),
)
_SEEING = ("see", "参见", "见")
_NUMBER = r"[1-9]\d?"
_NUMBERS = rf"\^?{_NUMBER}(?:\s*[,，、;–-]\s*\^?{_NUMBER})*"
_NAME = rf"(?:{'|'.join(sorted(_WORDS, key=len, reverse=True))})"
_GAP = r"[ \t]*"
_NAMED = rf"(?:(?:{'|'.join(_SEEING)}){_GAP})?(?:{_NAME}{_GAP}[:：]{_GAP})?{_NAME}{_GAP}[:：#]?{_GAP}"
_FURTHER = rf"(?:{_GAP}(?:[,，、;；–-]|and|和|与|及){_GAP}(?:{_NAME}{_GAP})?{_NUMBERS})*"
_MARKER = re.compile(
    rf"(?P<space>[ \t]*)(?:\[{_GAP}(?P<numbers>{_NUMBERS}){_GAP}\]|【{_GAP}{_NUMBERS}{_GAP}(?:†[^】\n]{{0,40}})?】"
    rf"|\[{_GAP}{_NAMED}{_NUMBERS}{_FURTHER}(?:[:：,，][^\]\n]{{0,60}})?{_GAP}\]"
    rf"|【{_GAP}{_NAMED}{_NUMBERS}{_FURTHER}(?:[:：,，][^】\n]{{0,60}})?{_GAP}】"
    rf"|[(（]{_GAP}{_NAMED}(?:\[{_NUMBERS}\]|{_NUMBERS}){_FURTHER}(?:[:：,，][^)）\n]{{0,60}})?{_GAP}[)）])",
    re.IGNORECASE,
)
_STOP = re.compile(r"`+|[ \t]*[\[【(（]|[ \t]+\Z")
_BEGUN = re.compile(
    r"[ \t]*(?:(?P<square>\[)|(?P<round>[(（])|【)[ \t]*(?:(?P<word>[^\W\d_]+)"
    r"(?P<rest>(?(square)[^\]\n]|(?(round)[^)）\n]|[^】\n])){0,99})|[\^\d \t,，、;–-]{0,24}(?:†[^】\n]{0,40})?)\Z"
)
_CLAUSE_ENDS = frozenset(".,;:!?。，；：！？、…\"”’')）*_|[【\n")
_INTERVAL = re.compile(
    r"(?:\b(?:in|interval|range|between|from|to|is|are|list|array|shape|size|vector|matrix|tensor|pair|tuple)|[=∈≤<(,]"
    r"|区间|范围|为|是|在|列表|数组|形状|大小|向量|矩阵|坐标)\s*\Z",
    re.IGNORECASE,
)
_PRESSED = re.compile(
    r"(?:\b(?:press|type|enter|choose|select|key|option|button)|按|键入?|输入|选择?)\s*\Z", re.IGNORECASE
)
_WORD_BEFORE = re.compile(r"(?:[a-z]{2}|[\d%)\"'.,;:!?])\Z", re.IGNORECASE)
_FORMULA_BEFORE = re.compile(r"[=+*/<>]\s*[\w.]*\Z")
_LOOK_BACK_CHARS = 16
_FENCE = 3


class MarkerFilter:
    """Lets an answer through without its marks."""

    def __init__(self) -> None:
        self._held = ""
        self._before = ""
        self._after_marker = False
        self._code = ""

    def feed(self, text: str) -> str:
        """Takes the next piece of text.

        Returns:
            What is certain by now; white space and what may become a mark are held back.
        """
        self._held += text
        return self._pass_on(ended=False)

    def flush(self) -> str:
        """Gives out what was held back; the answer has ended."""
        return self._pass_on(ended=True)

    def _pass_on(self, *, ended: bool) -> str:
        passed: list[str] = []
        while self._held:
            length, kept = self._next(ended)
            if not length:
                break
            stretch, self._held = self._held[:length], self._held[length:]
            if kept:
                passed.append(stretch)
                self._before = (self._before + stretch)[-_LOOK_BACK_CHARS:]
            self._after_marker = not kept
        return "".join(passed)

    def _next(self, ended: bool) -> tuple[int, bool]:
        """How much of what is held is decided, and whether it stays; 0 where more text is needed."""
        text = self._held
        if self._code:
            return self._next_of_code(ended), True
        stop = _STOP.search(text)
        if stop is None:
            return len(text), True
        if stop.start():
            return stop.start(), True
        if text[0] == "`":
            if stop.end() == len(text) and not ended:
                return 0, True
            self._code = stop.group()
            return stop.end(), True
        if (marker := _MARKER.match(text)) and (marker.end() < len(text) or ended):
            if self._is_mark(marker, text[marker.end() : marker.end() + 1]):
                at_line_start = not self._before or self._before.endswith("\n")
                is_cut = not ended and not text[marker.end() :].strip(" ")  # more blanks may come
                return (0 if at_line_start and is_cut else self._length_of_mark(marker, at_line_start)), False
        elif not ended and (marker or _may_become_mark(text)):
            return 0, True
        return max(stop.end(), 1), True

    def _next_of_code(self, ended: bool) -> int:
        """How far code goes: to as many backticks as opened it, or to the end of the line where that was no block."""
        for match in re.finditer(r"`+|\n", self._held):
            if match.end() == len(self._held) and match.group() != "\n" and not ended:
                return match.start()
            is_block = len(self._code) >= _FENCE
            if match.group() == self._code or (match.group() == "\n" and not is_block):
                self._code = ""
                return match.end()
        return len(self._held)

    def _length_of_mark(self, marker: re.Match[str], at_line_start: bool) -> int:
        if not at_line_start:
            return marker.end()
        following = self._held[marker.end() :]
        return marker.end() + len(following) - len(following.lstrip(" "))

    def _is_mark(self, marker: re.Match[str], following: str) -> bool:
        numbers, before = marker["numbers"], self._before
        if numbers is None:
            return True
        single = re.findall(r"\d+", numbers)
        if len(single) > 1 and (_INTERVAL.search(before) or len(set(single)) < len(single)):
            return False
        if _PRESSED.search(before):
            return False
        ends_clause = not following or following in _CLAUSE_ENDS
        is_attached = not marker["space"] and before and not self._after_marker and before[-1].isascii()
        if is_attached and not before[-1].isspace():
            return ends_clause and bool(_WORD_BEFORE.search(before)) and not _FORMULA_BEFORE.search(before)
        return ends_clause or following.isspace() or not following.isascii()


def _may_become_mark(text: str) -> bool:
    if not text.strip():
        return True
    begun = _BEGUN.match(text)
    if begun is None:
        return False
    word = (begun["word"] or "").lower()
    known = _WORDS + _SEEING + tuple(f"{seeing}{name}" for seeing in _SEEING for name in _WORDS)
    return not word or (word in known if begun["rest"] else any(one.startswith(word) for one in known))

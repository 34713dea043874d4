"""The numbers of a text with their size and unit, so that a statement can be held against its source.

Pure, for Chinese and English. 4.5 million, 4,500,000 and 450万 are the same number; 4.5 billion, 12 and 12% are others.
A number without a unit may have any, for a table says it in its head; but a share is never a plain number.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from kb.text.dates import dates_in_figures, worded_dates
from kb.text.numerals import NUMERAL, value
from kb.text.scripts import in_one_writing

SHARE = "%"

_UNIT_NAMES = {
    SHARE: ("%", "percent", "per cent", "pct"),
    "USD": ("$", "us$", "usd", "dollars", "dollar", "美元", "美金"),
    "EUR": ("€", "eur", "euros", "euro", "欧元"),
    "GBP": ("£", "gbp", "英镑"),
    "CNY": ("¥", "cny", "rmb", "yuan", "元", "人民币"),
    "km": ("km", "kilometres", "kilometre", "kilometers", "kilometer", "公里", "千米"),
    "m": ("m", "metres", "metre", "meters", "meter", "米"),
    "cm": ("cm", "centimetres", "centimetre", "centimeters", "centimeter", "厘米"),
    "mm": ("mm", "millimetres", "millimetre", "millimeters", "millimeter", "毫米"),
    "mi": ("mi", "miles", "mile", "英里"),
    "ft": ("ft", "feet", "foot", "英尺"),
    "in": ("inches", "inch", "英寸"),
    "yd": ("yd", "yards", "yard", "码"),
    "km2": ("km2", "square kilometres", "square kilometers", "平方公里", "平方千米"),
    "m2": ("m2", "square metres", "square meters", "平方米"),
    "mi2": ("square miles", "平方英里"),
    "kg": ("kg", "kilograms", "kilogram", "公斤", "千克"),
    "g": ("g", "grams", "gram", "克"),
    "t": ("tonnes", "tonne", "tons", "ton", "吨"),
    "°C": ("°c", "degrees celsius", "摄氏度"),
    "°F": ("°f", "degrees fahrenheit", "华氏度"),
    "ms": ("ms", "milliseconds", "millisecond", "毫秒"),
    "s": ("seconds", "second", "秒"),
    "min": ("min", "minutes", "minute", "分钟"),
    "h": ("hours", "hour", "小时", "个小时"),
    "d": ("days", "day", "天"),
    "wk": ("weeks", "week", "周", "星期", "个星期"),
    "mo": ("months", "month", "个月"),
    "yr": ("years", "year"),
    "am": ("am", "a.m"),
    "pm": ("pm", "p.m"),
    "kB": ("kb", "kib"),
    "MB": ("mb", "mib"),
    "GB": ("gb", "gib"),
    "TB": ("tb", "tib"),
    "V": ("v", "volts", "volt", "伏"),
    "W": ("w", "watts", "watt", "瓦"),
    "kW": ("kw", "kilowatts", "kilowatt", "千瓦"),
    "MW": ("mw", "megawatts", "megawatt", "兆瓦"),
    "Hz": ("hz", "hertz", "赫兹"),
    "kHz": ("khz", "kilohertz"),
    "MHz": ("mhz", "megahertz"),
    "GHz": ("ghz", "gigahertz"),
}
_UNITS = {name: unit for unit, names in _UNIT_NAMES.items() for name in names}
_SCALES = {
    "hundred": 100,
    "thousand": 1000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "千": 1000,
    "万": 10**4,
    "亿": 10**8,
    "万亿": 10**12,
}
_ONES = (
    ("zero",),
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("four", "fourth"),
    ("five", "fifth"),
    ("six", "sixth"),
    ("seven", "seventh"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("ten", "tenth"),
    ("eleven", "eleventh"),
    ("twelve", "twelfth"),
    ("thirteen", "thirteenth"),
    ("fourteen", "fourteenth"),
    ("fifteen", "fifteenth"),
    ("sixteen", "sixteenth"),
    ("seventeen", "seventeenth"),
    ("eighteen", "eighteenth"),
    ("nineteen", "nineteenth"),
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_ORDINALS = frozenset(names[1] for names in _ONES[1:])
_WORD_VALUES = {name: n for n, names in enumerate(_ONES) for name in names}
_WORD_VALUES |= {name: 10 * n for n, name in enumerate(_TENS, start=2)}

NUMBER_WORDS = frozenset(_WORD_VALUES) | frozenset(_SCALES)
"""English words for numbers; those of Chinese are in `kb.text.numerals`."""

MEASURES = (
    "年日号天周时点分秒度米里斤两元块人位名个只座台次遍篇章页层级岁票张篓匾锅把条件间家项种倍成码克吨"
    "所支艘枚本部场届首幅颗株匹辆架棵套段类轮门户集卷款代"
)
"""Chinese characters one of which stands after a number that counts."""


def _one_of(names: Iterable[str]) -> str:
    """A pattern for names, the longest first; those in letters end where a word ends."""
    ends = {name: r"(?![a-z\d])" if name[-1].isascii() and name[-1].isalnum() else "" for name in names}
    return "|".join(re.escape(name) + ends[name] for name in sorted(ends, key=len, reverse=True))


def _is_word(unit: str) -> bool:
    """Whether the name of a unit is one without a number before it, too; m need not be, nor the second of two."""
    return not unit.isascii() or (len(unit) > 2 and unit.endswith("s")) or unit == "feet"


_DIGITS = rf"\d+(?:\.\d+)?|{NUMERAL}"
_COMPOSED = (("hundreds_of_millions", 10**8), ("ten_thousands", 10**4), ("rest", 1))
_QUANTITY = re.compile(
    r"(?P<share>百分之)?(?:(?P<currency>[$€£¥])\s?)?"
    rf"(?:(?P<hundreds_of_millions>{_DIGITS})亿零?(?P<ten_thousands>{_DIGITS})万(?:零?(?P<rest>{_DIGITS}))?"
    r"|(?<![a-z_\d])(?<!\d[.,:/-])v?(?P<figures>\d+(?:[.,:/-]\d+)*)(?:st|nd|rd|th)?"
    rf"|\b(?P<words>(?:{'|'.join(_TENS)})[- ](?:{_one_of(sum(_ONES[1:10], ()))})|{_one_of(_WORD_VALUES)})"
    rf"|(?P<numeral>{NUMERAL}))"
    rf"(?:[\s-]?(?P<scale>{_one_of(_SCALES)}))?"
    rf"(?:[\s-]?(?P<unit>{_one_of(_UNITS)}))?"
)
_NAMED_UNIT = re.compile(
    rf"(?<![a-z\d])(?P<scale>万亿|[千万亿])?(?P<unit>{_one_of(each for each in _UNITS if _is_word(each))})"
)
_FRACTION = re.compile(rf"(?!百分)(?P<parts>{_DIGITS})分之(?P<counted>{_DIGITS})")
_MINUS = re.compile(r"(?:(?<![a-z\d.,)%])-|零下|minus )\Z")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
_FULL_HOUR = re.compile(r"(?<=\d):00\Z")
_MEASURE = re.compile(f"\\s?[{MEASURES}]|小时|公里")
_SURELY_NUMBER = re.compile("[一二三四五六七八九两]+[十百千]")  # 九千 counts, whatever follows; 百 in 百般 does not


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number.

    Attributes:
        value: In figures, without separators; a date, a time or a version as `dates` or its author writes it.
        unit: None where none is known.
    """

    value: str
    unit: str | None = None

    def is_as(self, other: "Quantity") -> bool:
        """Whether both say the same, as far as they say it."""
        units = {self.unit, other.unit}
        return self.value == other.value and (len(units) == 1 or (None in units and SHARE not in units))


def quantities(text: str, *, ones: bool = False) -> frozenset[Quantity]:
    """The numbers of a text, in figures and in English or Chinese words; with a date goes what follows from it.

    Args:
        ones: Whether one, first and 一 are numbers; mostly they are not meant as such.
    """
    return frozenset(quantity for quantity, _ in placed_quantities(in_one_writing(text).lower(), ones=ones))


def placed_quantities(text: str, *, ones: bool = False) -> Iterator[tuple[Quantity, int]]:
    """The numbers of a text that is in one writing and small letters, with the places where they begin."""
    for date, (start, end) in list(worded_dates(text)):
        yield from ((Quantity(part), start) for part in date.implied)
        text = _blanked(text, start, end)
    for match in list(_FRACTION.finditer(text)):
        yield (
            Quantity("/".join(_in_figures(Decimal(value(match[name]))) for name in ("counted", "parts"))),
            match.start(),
        )
        text = _blanked(text, *match.span())
    for match in _QUANTITY.finditer(text):
        if not _is_meant(text, match, ones):
            continue
        unit = SHARE if match["share"] else _UNITS.get(match["unit"] or match["currency"] or "")
        if match["words"] in _ORDINALS:  # not two days: the second day
            unit = None
        sign = "-" if _MINUS.search(text, 0, match.start()) else ""
        yield from ((Quantity(sign + number, unit), match.start()) for number in _values(match))


def units_named(text: str) -> Iterator[tuple[str, str, int]]:
    """The units that a text names without a number, in one writing and small letters.

    Yields:
        As it is written, what it is called here, and how many of that it is: 万元 is 10,000 of CNY.
    """
    for match in _NAMED_UNIT.finditer(text):
        yield match[0], _UNITS[match["unit"]], _SCALES.get(match["scale"] or "", 1)


def are_among(said: Iterable[Quantity], source: Iterable[Quantity]) -> bool:
    """Whether a source holds each of some numbers."""
    source = tuple(source)
    return all(any(quantity.is_as(other) for other in source) for quantity in said)


def _blanked(text: str, start: int, end: int) -> str:
    return f"{text[:start]}{' ' * (end - start)}{text[end:]}"


def _is_meant(text: str, match: re.Match[str], ones: bool) -> bool:
    if match["figures"] or match["share"] or match["hundreds_of_millions"]:
        return True
    if match["words"]:
        return ones or bool(match["scale"]) or match["words"] not in ("one", "first")
    before = text[: match.start()].endswith("第")
    is_counted = before or match["scale"] or match["unit"] or _MEASURE.match(text, match.end())
    is_counted = is_counted or _SURELY_NUMBER.match(match["numeral"])
    return bool(is_counted) and (ones or match["numeral"] != "一" or bool(match["scale"]))


def _values(match: re.Match[str]) -> Iterator[str]:
    if match["hundreds_of_millions"]:
        yield _in_figures(sum(Decimal(value(match[name])) * scale for name, scale in _COMPOSED if match[name]))
    elif words := match["words"]:
        number = sum(_WORD_VALUES[word] for word in re.split("[- ]", words))
        yield _in_figures(Decimal(number) * _SCALES.get(match["scale"], 1))
    elif numeral := match["numeral"]:
        yield _in_figures(Decimal(value(numeral)) * _SCALES.get(match["scale"], 1))
    else:
        yield from _values_of_figures(match["figures"], _SCALES.get(match["scale"], 1))


def _values_of_figures(written: str, scale: int) -> Iterator[str]:
    """Of figures with signs between them: what follows from a date, or both ends of a range."""
    plain = _FULL_HOUR.sub("", _THOUSANDS.sub("", written))
    if dates := dates_in_figures(plain):
        yield from dates[0].implied if len(dates) == 1 else (plain, str(dates[0].year))
        return
    for part in plain.split("-"):
        yield _in_figures(Decimal(part) * scale) if _PLAIN.fullmatch(part) else part


def _in_figures(number: Decimal | int) -> str:
    return f"{Decimal(number).normalize():f}"

"""Items that are known by their form, in any language: addresses, dates, amounts, measures. Pure."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from kb.text.dates import dates_in_figures, worded_dates
from kb.text.quantities import NUMBER_WORDS
from kb.text.scripts import in_one_writing
from kb.text.sentences import Span

_ORDINALS = re.compile(r"(?:st|nd|rd|th|first|second|third)\Z")
_WORDS = "|".join(
    sorted((word for word in NUMBER_WORDS if word.isascii() and not _ORDINALS.search(word)), key=len, reverse=True)
)
_HAN_DIGITS = "〇零一二两三四五六七八九十百千万亿"
_HAN_NUMBER = rf"(?<![第{_HAN_DIGITS}])(?:半(?=个?[^个]{{1,2}})|(?![零万亿])[{_HAN_DIGITS}]+)"
_NUMBER = rf"(?:(?<![\w.])[-−]?\d+(?:[.,]\d+)*|(?:\b(?:{_WORDS})[ -]?)+|{_HAN_NUMBER})"
_SCALE = r"(?:\s?(?:thousand|million|billion|trillion|millones|millions?|milliarden?|milliards?|万|亿|千|億|萬))?"
_MONTHS = (
    "januar|februar|märz|april|mai|juni|juli|august|september|oktober|november|dezember|janvier|février|mars|avril|juin"
    "|juillet|août|septembre|octobre|novembre|décembre|enero|febrero|marzo|abril|mayo|junio|julio|agosto|septiembre"
    "|octubre|noviembre|diciembre"
)


def _measure(units: str) -> re.Pattern[str]:
    ends = "|".join(rf"{unit}(?![A-Za-z])" if unit[-1].isascii() else unit for unit in units.split("|"))
    return re.compile(
        rf"{_NUMBER}(?:\s?[-–至到]\s?{_NUMBER})?[ -]?(?:and a half |个半|个)?(?:{ends})半?(?:{_HAN_NUMBER}(?:{ends}))*",
        re.IGNORECASE,
    )


_PATTERNS = {
    "email": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "url": re.compile(r"(?:https?://|www\.)[^\s<>|\"'”）)\]，。；]+[^\s<>|\"'”）)\]，。；.,;:!?]"),
    "phone": re.compile(
        r"(?<![\w.,/-])(?:\+\d{1,3}[ -]?)?(?:\(\d{1,5}\)[ -]?)?\d{2,5}(?:[ /-]?\d{2,8}){1,4}(?![\w/-]|[.,]\d)"
    ),
    "time": re.compile(
        r"(?<![\d:.])\d{1,2}:\d\d(?::\d\d)?(?!\d|:)(?:\s?[ap]\.?m\b\.?)?|\b\d{1,2}\s?(?:[ap]\.?m\b\.?|uhr\b)"
        rf"|(?:凌晨|清晨|早上|上午|中午|正午|下午|傍晚|晚上|夜里)(?:\d{{1,2}}|{_HAN_NUMBER})[点時时](?![间候])(?:半|一刻|三刻)?"
        rf"|(?:\d{{1,2}}|{_HAN_NUMBER})(?:点(?:半|整|钟|一刻|三刻|\d{{1,2}}分)|時(?!間))"
        rf"|(?<=[到至])(?:\d{{1,2}}|{_HAN_NUMBER})点",
        re.IGNORECASE,
    ),
    "money": re.compile(
        rf"(?:US|A|C|HK)?[$€£¥￥]\s?\d+(?:[.,]\d+)*{_SCALE}"
        rf"|(?:USD|EUR|GBP|CNY|RMB|CHF|JPY)\s?\d+(?:[.,]\d+)*{_SCALE}"
        rf"|{_NUMBER}{_SCALE}\s?(?:US |U\.S\. )?(?:dollars?\b|euros?\b|pounds sterling\b|crowns?\b|yuan\b|yen\b"
        r"|francs?\b|cents?\b|pesos?\b|usd\b|eur\b|gbp\b|cny\b|rmb\b|chf\b|kr\b|€|£|元|块钱|美元|欧元|英镑|円|日元)",
        re.IGNORECASE,
    ),
    "share": re.compile(
        rf"{_NUMBER}\s?(?:%|％|percent\b|per cent\b|prozent\b|pour ?cent\b|por ciento\b|パーセント)|百分之"
        rf"(?:{_HAN_NUMBER}|[\d.]+)",
        re.IGNORECASE,
    ),
    "temperature": _measure("°c|°f|° c|℃|℉|degrees celsius|degrees fahrenheit|degrees|grad|grados|degrés|摄氏度|度"),
    "length": _measure(
        "kilometres?|kilometers?|metres?|meters?|centimetres?|centimeters?|millimetres?|millimeters?|feet|foot|inches"
        "|miles?|metern?|km|cm|mm|nm|m|公里|千米|厘米|毫米|米|里地|尺"
    ),
    "weight": _measure(
        "kilograms?|kilogramm|grams?|gramm|tonnes?|tons?|pounds|kg|mg|lbs?|g|公斤|千克|毫克|克|斤|两(?!个)|吨"
    ),
    "duration": _measure(
        "hours?|minutes?|seconds?|days?|weeks?|months?|years?|stunden?|minuten?|sekunden?|tagen?|wochen?|jahren?|heures?"
        "|jours?|semaines?|ans|horas?|minutos?|días?|semanas?|años?|小时|分钟|刻钟|秒钟?|天|星期|个月|年半|時間|分間|日間"
    ),
}
_DATE_IN_FIGURES = re.compile(r"(?<![\w./-])\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?![\w/-]|\.\d)")
_DATE_IN_WORDS = re.compile(
    rf"\b\d{{1,2}}(?:er|\.)?\s(?:de\s)?(?:{_MONTHS})\b(?:\s(?:de\s)?(?:1\d|20)\d\d)?", re.IGNORECASE
)
_PHONE_DIGITS = range(7, 16)
_MOBILE_DIGITS = 11  # in China, where they are written without a gap
_YEARS = re.compile(r"\b(?:19|20)\d\d[-/ ]\d\d\b")

FORMS = (*_PATTERNS, "date")
"""What is known by its form; any of them may not be what is meant."""

AMBIGUOUS = frozenset({"temperature"})
"""What looks so may be another thing: degrees of an angle."""

STANDS_FOR_ITSELF = frozenset({"email", "url", "phone"})
"""Where the same stands in two places it is the same; two dates or amounts may be of different things."""


@dataclass(frozen=True, slots=True)
class Found:
    """An item in a text.

    Attributes:
        key: The same for whatever says the same.
    """

    form: str
    start: int
    end: int
    key: str


def recognised(form: str, text: str) -> Iterator[Found]:
    """Finds the items of a form, in the order of the text.

    Args:
        form: One of `FORMS`.
    """
    for start, end in _date_spans(text) if form == "date" else _spans(form, text):
        yield Found(form, start, end, _key(form, text[start:end]))


def _spans(form: str, text: str) -> Iterator[Span]:
    for match in _PATTERNS[form].finditer(text):
        written = match[0].strip()
        if form != "phone" or _is_phone(written):
            start = match.start() + match[0].index(written)
            yield start, start + len(written)


def _is_phone(written: str) -> bool:
    digits = sum(map(str.isdigit, written))
    is_plain_number = written.isdigit() and digits != _MOBILE_DIGITS
    is_date = bool(dates_in_figures(written) or _YEARS.search(written))
    return digits in _PHONE_DIGITS and not is_plain_number and not is_date


def _date_spans(text: str) -> list[Span]:
    folded = in_one_writing(text).lower()
    spans = [span for _, span in worded_dates(folded)] if len(folded) == len(text) else []
    spans = [(start, end - (text[end - 1] == ".")) for start, end in spans]
    spans += [match.span() for match in _DATE_IN_FIGURES.finditer(text) if dates_in_figures(match[0])]
    spans += [match.span() for match in _DATE_IN_WORDS.finditer(text)]
    return _apart(sorted(spans, key=lambda span: (span[0], -span[1])))


def _apart(spans: list[Span]) -> list[Span]:
    """Spans without those that overlap one before."""
    kept: list[Span] = []
    for span in spans:
        if not kept or span[0] >= kept[-1][1]:
            kept.append(span)
    return kept


def _key(form: str, written: str) -> str:
    if form == "phone":
        return "".join(filter(str.isdigit, written))
    return "".join(in_one_writing(written).casefold().split())

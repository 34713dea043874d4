"""Finds personal data that has a form: e-mail addresses, numbers of phones, identity, cards and accounts.

What looks like a number is asked of libraries that know the plans and the check digits of countries: `phonenumbers` and
`python-stdnum`, of the extra `pii`. Names of people, postal addresses, dates of birth have no form and are not found.
"""

import functools
import re
from collections.abc import Callable, Iterator, Sequence
from importlib import import_module
from itertools import chain

from kb.errors import SettingsError
from kb.values.personal import Personal, PersonalKind

_ASCII_FORMS = {wide: wide - 0xFEE0 for wide in range(0xFF01, 0xFF5F)}  # as long as before, so that places stay
# All are bounded, so that no text takes long.
_EMAIL = re.compile(r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,63}")
_IBAN = r"[A-Z]{2}\d\d(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,4})?"
_CARD = r"(?:\d{15,19}|\d{4}([ -])\d{4}\1\d{4}\1\d{4}(?:\1\d{1,3})?|\d{4}[ -]\d{6}[ -]\d{5})"
_CARD_BEGINS = re.compile(r"4|5[1-5]|2[2-7]|3[47]|6(?:011|2|5)")
_LINE = re.compile(r".+")
_PHONE_LIKE = re.compile(r"\d(?:[ ()./\u2010-\u2015\u3000-]{0,3}\d){5}")  # columns of short numbers are not
_CHINESE_IDENTITY = r"\d{17}[\dXx]"
_IDENTITY = {
    "us.ssn": r"\d{3}-\d\d-\d{4}",
    "gb.nhs": r"\d{3} \d{3} \d{4}",
    "de.idnr": r"\d\d \d{3} \d{3} \d{3}",
    "fr.nir": r"[12] ?\d\d ?\d\d ?\d[\dAB] ?\d{3} ?\d{3} ?\d\d",
    "es.dni": r"\d{8}-?[A-Z]",
    "es.nie": r"[XYZ]-?\d{7}-?[A-Z]",
    "it.codicefiscale": r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]",
    "kr.rrn": r"\d{6}-\d{7}",
    "in_.aadhaar": r"\d{4} \d{4} \d{4}",
    "br.cpf": r"\d{3}\.\d{3}\.\d{3}-\d\d",
}
"""Modules of `stdnum`, and how such numbers are written: strictly where the check is weak."""


def find_personal(regions: Sequence[str]) -> Callable[[str], list[Personal]]:
    """What finds personal data in a text, in its order, none within another.

    Args:
        regions: Countries, by two letters, whose phone numbers are found without a `+` too.

    Raises:
        SettingsError: The extra is not installed, or a region is none.
    """
    try:
        import phonenumbers
        import stdnum
    except ImportError as error:
        raise SettingsError(
            f"KB_PII needs what is not installed: {error.name}",
            "install r1-kb with its extra: pip install 'r1-kb[pii]'",
        ) from error
    del stdnum
    if unknown := set(regions) - phonenumbers.SUPPORTED_REGIONS:
        raise SettingsError(
            f"KB_PII_REGIONS has what is no region: {', '.join(sorted(unknown))}", "use two letters, as in CN,US,GB"
        )
    return functools.partial(_find, tuple(regions))


def _find(regions: Sequence[str], text: str) -> list[Personal]:
    text = text.translate(_ASCII_FORMS)
    found: list[Personal] = []
    taken = bytearray(len(text))
    for each in chain(_emails(text), _numbers(text), _phones(text, regions)):  # what is surer comes first
        if not any(taken[each.start : each.end]):
            found.append(each)
            taken[each.start : each.end] = b"\1" * (each.end - each.start)
    return sorted(found, key=lambda each: each.start)


def _emails(text: str) -> Iterator[Personal]:
    for match in _EMAIL.finditer(text):
        yield Personal("email", *match.span())


def _numbers(text: str) -> Iterator[Personal]:
    for kind, pattern, is_valid in _validated():
        for match in pattern.finditer(text):
            if is_valid(match[0]):
                yield Personal(kind, *match.span())


@functools.cache
def _validated() -> list[tuple[PersonalKind, re.Pattern[str], Callable[[str], bool]]]:
    from stdnum import iban, luhn
    from stdnum.cn import ric
    from stdnum.iso7064 import mod_11_2

    def is_card(written: str) -> bool:
        digits = re.sub(r"\D", "", written)
        return bool(_CARD_BEGINS.match(digits)) and luhn.is_valid(digits)

    def is_chinese_identity(written: str) -> bool:
        """Its place is not asked of: districts are younger than people, and a number says where one was registered."""
        try:
            ric.get_birth_date(written)
        except ValueError:
            return False
        return bool(mod_11_2.is_valid(written.upper()))

    identity = [(_alone(form), import_module(f"stdnum.{name}").is_valid) for name, form in _IDENTITY.items()]
    return [
        ("iban", _alone(_IBAN), iban.is_valid),
        ("id_number", _alone(_CHINESE_IDENTITY), is_chinese_identity),
        *(("id_number", pattern, is_valid) for pattern, is_valid in identity),
        ("bank_card", _alone(_CARD), is_card),
    ]


def _alone(form: str) -> re.Pattern[str]:
    """Such a number that is no part of a longer one; Chinese may stand right beside it."""
    return re.compile(rf"(?<![0-9A-Za-z])(?<!\d[-.]){form}(?![0-9A-Za-z]|[-.]\d)")


def _phones(text: str, regions: Sequence[str]) -> Iterator[Personal]:
    from phonenumbers import Leniency, PhoneNumberMatcher

    for line in _LINE.finditer(text):
        if not _PHONE_LIKE.search(line[0]):
            continue
        for region in regions or (None,):
            for match in PhoneNumberMatcher(line[0], region, leniency=Leniency.VALID, max_tries=len(line[0])):
                yield Personal("phone", line.start() + match.start, line.start() + match.end)

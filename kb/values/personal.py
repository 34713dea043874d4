"""Personal data in a text. Frozen values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

PersonalKind = Literal["email", "phone", "id_number", "bank_card", "iban"]
PERSONAL_KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)


@dataclass(frozen=True, slots=True)
class Personal:
    """A stretch of a text that tells of a person: `text[start:end]`."""

    kind: PersonalKind
    start: int
    end: int


def none_found(text: str) -> Sequence[Personal]:
    """Finds no personal data: where nobody has asked for that."""
    return ()

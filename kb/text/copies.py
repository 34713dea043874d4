"""Names that programs give to the copy of a file: those of a conflict between two machines, and second ones.

Pure. Knows names and words of texts, and no files.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

_EXTENSION = r"(?P<extension>\.[^./]+)?"
_CONFLICT = re.compile(
    r"(?P<stem>.+?)"
    r"(?:\.sync-conflict-\d{8}-\d{6}-\w+"  # Syncthing
    r"|[ _-]?[(（][^()（）]*(?:conflict(?:ed)?\b|冲突|衝突)[^()（）]*[)）]"  # Dropbox, Nextcloud, OneDrive
    r"|[ _]conflict-\d{8}-\d{6}|\.sync-conflict\b.*?)" + _EXTENSION,
    re.IGNORECASE,
)
_SECOND = re.compile(
    r"(?P<stem>.+?)"
    r"(?:(?: - | |-)(?:copy|kopie|copie|copia|副本|コピー)(?: ?\(?\d{1,2}\)?)?| \d{1,2}| ?[(（]\d{1,2}[)）])"
    + _EXTENSION,
    re.IGNORECASE,
)
_MAX_WORDS = 2_000
_MAX_CHANGED_SHARE = 0.08
_MAX_CHANGED_WORDS = 2


@dataclass(frozen=True, slots=True)
class CopyName:
    """What the name of a copy tells.

    Attributes:
        original: Path of the file that it is a copy of.
        is_certain: Whether nobody gives such a name to anything else; `Chapter 2.md` need be no copy of `Chapter.md`.
    """

    original: str
    is_certain: bool


def copy_name(source: str) -> CopyName | None:
    """Reads the name of a file as that of a copy; None: it is none.

    Args:
        source: Path with `/` between its parts.
    """
    folder, slash, name = source.rpartition("/")
    for pattern, is_certain in ((_CONFLICT, True), (_SECOND, False)):
        if match := pattern.fullmatch(name):
            return CopyName(f"{folder}{slash}{match['stem']}{match['extension'] or ''}", is_certain)
    return None


def are_versions(one: Sequence[str], other: Sequence[str]) -> bool:
    """Whether of two texts, given as words, the shorter one stands nearly as it is in the longer one."""
    shorter, longer = sorted((one[:_MAX_WORDS], other[:_MAX_WORDS]), key=len)
    blocks = SequenceMatcher(None, shorter, longer, autojunk=False).get_matching_blocks()
    changed = len(shorter) - sum(block.size for block in blocks)
    return changed < len(shorter) and changed <= max(_MAX_CHANGED_WORDS, _MAX_CHANGED_SHARE * len(shorter))

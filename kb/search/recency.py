"""Whether a question asks for what is newest, and which documents that favours.

Pure.
"""

import datetime
import re
from collections.abc import Mapping

_NEWEST = re.compile(
    r"\b(?:latest|newest|(?:most\s+)?recent(?:ly)?|current(?:ly)?|up-to-date|these\s+days|nowadays)\b"
    r"|最新|最近|近来|近期|目前|现在|現在|如今|当前|當前|现行|現行",
    re.IGNORECASE,
)


def asks_for_newest(question: str) -> bool:
    """Whether a question asks for the latest state of something."""
    return bool(_NEWEST.search(question))


def newness(dates: Mapping[str, datetime.date]) -> dict[str, float]:
    """How new each document is among others: by rank from 0 for the oldest to 1; 0 for all if they are of one day."""
    days = sorted(set(dates.values()))
    place = {day: number / (len(days) - 1) if len(days) > 1 else 0.0 for number, day in enumerate(days)}
    return {key: place[day] for key, day in dates.items()}

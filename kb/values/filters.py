"""Which documents may answer a question.

Pure values, which always make sense: what does not is refused when it is made. How a condition is looked up is
`kb.catalog.filters`' affair.
"""

import datetime
from dataclasses import dataclass

from kb.errors import InvalidRequest

MAX_VALUES = 1000
"""Most values of one condition."""


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on documents: each one that is given must hold, and of several values one is enough.

    Attributes:
        folders: Folders that the files lie in, at any depth, or single files: paths below a watched folder, or
            absolute ones, which may lie above a watched folder too. In the case of the file system.
        types: Kinds of files: extensions with or without a dot, media types, or the second half of one, in any case:
            `pdf`, `.md`, `text/markdown`, `markdown`.
        tags: Tags of the documents; case and width of the characters do not matter. `a` stands for `a/b`, too.
        since: First day that counts. A document without a date of its own has that of its file, in UTC.
        until: Last day that counts.
        document_ids: Ids of documents; unknown ones match nothing.

    Raises:
        InvalidRequest: A value is empty, there are too many, or no day lies between `since` and `until`.
    """

    folders: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    since: datetime.date | None = None
    until: datetime.date | None = None
    document_ids: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check("folders", self.folders)
        _check("types", self.types)
        _check("tags", self.tags)
        _check("document_ids", self.document_ids)
        if self.since and self.until and self.since > self.until:
            raise InvalidRequest(f"since {self.since} is after until {self.until}", "exchange the two dates")

    def __bool__(self) -> bool:
        """Whether any condition is given."""
        return self != EVERYTHING


def _check(name: str, values: tuple[str, ...]) -> None:
    if len(values) > MAX_VALUES:
        raise InvalidRequest(
            f"the filter {name} has {len(values):,} values; the limit is {MAX_VALUES:,}",
            "name a folder or a tag that they have in common",
        )
    if not all(value.strip() for value in values):
        raise InvalidRequest(
            f"the filter {name} has an empty value", "leave it out: no value lets all documents answer"
        )
    if any("\0" in value for value in values):
        raise InvalidRequest(f"a value of the filter {name} has a NUL character", "take it out")


EVERYTHING = Filters()

"""What a user calls a document → the document: a path on disk, a path below a watched folder, or an id.

Knows only what is listed. A name never stands for more than one document, nor for one that is only like it.
"""

import difflib
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from kb.errors import InvalidRequest, KBError, NotFound
from kb.values.documents import FailureKind
from server.http import schemas

MAX_SUGGESTIONS = 5

MIN_LIKENESS = 0.6
"""Of a name that is worth suggesting; difflib takes the same for close matches."""


def find_document(name: str, listed: schemas.DocumentList) -> schemas.Document:
    """Finds the one document that a name stands for.

    Raises:
        NotFound: There is none.
        InvalidRequest: There are several, or the name is that of a folder.
    """
    documents = listed.documents
    paths = paths_on_disk(name)
    found = [document for document in documents if document.id == name or _path(document) in paths]
    found = found or [document for document in documents if document.source == PurePosixPath(name).as_posix()]
    if len(found) == 1:
        return found[0]
    if found:
        raise InvalidRequest(f"{name} is in several watched folders", f"name one: {', '.join(map(_path, found))}")
    raise _unknown(name, paths, listed)


def paths_on_disk(name: str | Path) -> set[str]:
    """The name as an absolute path; where it is that of a link, the link's own path, too."""
    path = Path(name)
    return {os.path.realpath(path), str(Path(os.path.realpath(path.parent), path.name))}


def _unknown(name: str, paths: set[str], listed: schemas.DocumentList) -> KBError:
    for failure in listed.failures:
        if _path(failure) in paths or failure.source == name:
            if failure.kind is FailureKind.FORGOTTEN:
                return NotFound(f"{name} is forgotten already", failure.hint)
            return NotFound(f"{name} is not indexed: {failure.reason}", failure.hint or "`kb status` tells more")
    below = tuple(f"{path.rstrip('/')}/" for path in (*paths, name))
    if any(_path(document).startswith(below) or document.source.startswith(below) for document in listed.documents):
        return InvalidRequest(
            f"{name} is a folder",
            "name the documents in it; `--in` narrows a question to a folder, and a line in `.kbignore` keeps one out",
        )
    similar = ", ".join(_similar(name, listed.documents))
    hint = f"did you mean {similar}?" if similar else "GET /documents, or the page, lists what is indexed"
    return NotFound(f"no document is called {name}", hint)


def _path(item: schemas.Document | schemas.Failure) -> str:
    return f"{item.root}/{item.source}"


def _similar(name: str, documents: list[schemas.Document]) -> Iterator[str]:
    """The paths of documents with a name or title like this one, nearest first."""
    wanted = Path(name).stem.casefold()
    likeness = {
        document.source: max(
            difflib.SequenceMatcher(None, wanted, text.casefold()).ratio()
            for text in (Path(document.source).stem, document.title)
        )
        for document in documents
    }
    nearest = sorted(likeness, key=lambda source: -likeness[source])[:MAX_SUGGESTIONS]
    return (source for source in nearest if likeness[source] >= MIN_LIKENESS)

"""Labelled statements in a file of the user's, of the same forms as those that ship."""

import json
from pathlib import Path

from kb.errors import InvalidRequest
from kb.judging.labelled import LabelledLook, looks_of


def read_labelled(path: Path) -> list[LabelledLook]:
    """Reads a file of one JSON object a line; see `kb.judging.labelled`.

    Raises:
        InvalidRequest: It cannot be read, is empty, or a line is none.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InvalidRequest(f"{path} cannot be read: {error}", "give a file of JSON lines in UTF-8") from error
    found: list[LabelledLook] = []
    for number, line in enumerate(lines, start=1):
        try:
            if line.strip():
                found += looks_of(json.loads(line))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InvalidRequest(
                f"line {number} of {path} is no labelled statement",
                'write {"passages": ["…"], "statement": "…", "label": true}, one a line',
            ) from error
    if not found:
        raise InvalidRequest("the set is empty", "give a file with labelled statements")
    return found

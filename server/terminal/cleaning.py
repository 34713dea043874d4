"""Text from outside → text that does nothing to a terminal but stand there.

Pure. Documents, models and clipboards hold control characters; a terminal would obey them, and a reader would not see
them.
"""

import re
import unicodedata

_SEQUENCE = re.compile(
    "(?:\x1b\\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI: colours, cursor
    "|(?:\x1b[\\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\\\|\x9c)"  # OSC and its like: title, clipboard
    "|\x1b(?:[!-/]*[0-~])?"
)
"""Escape sequences as ECMA-48 has them; of one without an end, its beginning goes."""

_UNSEEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Control characters but tab and line feed, what turns the direction of writing, and halves of characters."""

_MARKS = re.compile("[\u061c\u200b\u200e\u200f\u2060-\u206f\ufeff]")
"""What a text may need, but a name, or a message with one, does not: without them it is what it looks like."""

_BREAK = re.compile("[\t\n\v\f\r\x85\u2028\u2029]+")


def printable(text: str) -> str:
    """Removes what a terminal would obey; line feeds and tabs stay. Pieces of a stream can be cleaned one by one."""
    return _UNSEEN.sub("", _SEQUENCE.sub("", text))


def on_one_line(text: str) -> str:
    """A name, or a message with names in it, so that it cannot look like another one, nor like several."""
    return _MARKS.sub("", _BREAK.sub(" ", printable(text)))


def printable_json(json: str) -> str:
    """The same JSON, with what a terminal would obey or a reader not see written as escapes; it is within strings."""
    return _UNSEEN.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def as_typed(line: str) -> str:
    """What somebody meant who typed or pasted a line: on one line, composed (NFC), without anything unseen."""
    return unicodedata.normalize("NFC", printable(_BREAK.sub(" ", line))).strip()

"""What readers have noted on a page, and which files lie in a PDF, written as text that can be found and cited.

Pure. In Chinese where what is written is Chinese, else in English.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb.text.scripts import HAN

_MAX_MARKED_CHARS = 200


@dataclass(frozen=True, slots=True)
class Note:
    """A note, or a comment on words that are marked.

    Attributes:
        author: Empty where nobody is named.
        marked: The words on the page; empty where none are marked.
        box: Where its sign stands, in points from the lower left corner: left, bottom, right, top.
    """

    author: str
    text: str
    marked: str = ""
    box: tuple[float, float, float, float] = (0.0, 0.0, 0.0, 0.0)


def written(note: Note) -> str:
    """Writes a note with whose it is, and on what."""
    marked = note.marked
    if marked.casefold() == note.text.casefold():
        marked = ""  # some programs copy the words into the comment
    if len(marked) > _MAX_MARKED_CHARS:
        marked = marked[:_MAX_MARKED_CHARS].rstrip() + "…"
    if HAN.search(note.text):
        return f"{f'{note.author}的' if note.author else ''}批注{f'（“{marked}”）' if marked else ''}：{note.text}"
    by, on = f" by {note.author}" if note.author else "", f" on “{marked}”" if marked else ""
    return f"Note{by}{on}: {note.text}"


def embedded_files(names: Sequence[str], text: str) -> str:
    """Writes which files lie in a PDF, unread, in the language of its text; nothing where none do."""
    if not names:
        return ""
    return (
        f"内嵌文件（未读取）：{'、'.join(names)}"
        if HAN.search(text)
        else f"Embedded files, not read: {', '.join(names)}"
    )

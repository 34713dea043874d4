"""What note-taking programs add to Markdown: comments, marks by which a block is linked to, and tags in the text.

Pure. Says where these stand; that code is code is told from outside. As Obsidian has them: https://help.obsidian.md/syntax.
"""

import re
from collections.abc import Callable, Iterator

_COMMENT = re.compile(r"(?<!\w)%%.*?%%", re.DOTALL)
_BLOCK_ID = re.compile(r"(?:^|[ \t]+)\^(?=[\w-]*[a-zA-Z])[a-zA-Z0-9-]{2,}[ \t]*$")
_TAG = re.compile(r"(?<!\S)#(?P<tag>(?=[\d/_-]*[^\W\d_])[\w-]+(?:/[\w-]+)*)(?![\w/(])")
_ATTRIBUTES_OPEN = re.compile(r"\{[^{}\n]*\Z")
_MAX_TAGS = 100

IsCode = Callable[[int], bool]
"""Whether a character of the text, by its place, stands in code."""


def comment_spans(text: str, start: int, is_code: IsCode) -> Iterator[tuple[int, int]]:
    """Finds what stands between two `%%`; one that is never closed is text."""
    while match := _COMMENT.search(text, start):
        if is_code(match.start()):
            start = match.start() + 2
        else:
            yield match.span()
            start = match.end()


def block_id_span(text: str, start: int, end: int) -> tuple[int, int] | None:
    """Finds the mark `^name` at the end of a block."""
    last_line = max(start, text.rfind("\n", start, end) + 1)
    match = _BLOCK_ID.search(text[last_line:end])
    return (last_line + match.start(), end) if match else None


def tags(text: str, start: int, is_code: IsCode) -> tuple[str, ...]:
    """Finds `#tag` and `#parent/child` in a text, each as it is written first."""
    found: dict[str, str] = {}
    for match in _TAG.finditer(text, start):
        line = text[text.rfind("\n", 0, match.start()) + 1 : match.start()]
        if not _ATTRIBUTES_OPEN.search(line) and not is_code(match.start()):
            found.setdefault(match["tag"].casefold(), match["tag"])
            if len(found) == _MAX_TAGS:
                break
    return tuple(found.values())

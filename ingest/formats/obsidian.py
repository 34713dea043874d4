"""What note-taking programs add to Markdown: comments, marks by which a block is linked to, and tags in the text.

Pure. Says where these stand; that code is code is told from outside. As Obsidian has them: https://help.obsidian.md/syntax.
"""

import re
from collections.abc import Callable, Iterator

# They begin with what is seldom, and look back from there: so the search passes over a text fast.
_COMMENT = re.compile(r"%%(?<!\w%%).*?%%", re.DOTALL)
_BLOCK_ID = re.compile(r"\^(?<!\S\^)(?=[\d-]*[a-zA-Z])[a-zA-Z0-9-]{2,}(?=\s|\Z)")
_TAG = re.compile(r"#(?<!\S#)(?P<tag>(?=[\d/_-]*[^\W\d_])[\w-]+(?:/[\w-]+)*)(?![\w/(])")
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


def block_ids(text: str, start: int) -> dict[int, int]:
    """Finds what may be the mark `^name` at the end of a block: where each begins, by where it ends."""
    return {match.end(): match.start() for match in _BLOCK_ID.finditer(text, start)}


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

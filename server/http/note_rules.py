"""What note-taking programs add to Markdown, as rules of the parser that renders it: links, comments, marks, callouts.

As Obsidian has them: https://help.obsidian.md/syntax. Pure.
"""

import re
from typing import TYPE_CHECKING

from ingest.formats.markdown_links import WIKI_LINK, wiki_destination

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.rules_inline import StateInline

_HIDDEN = re.compile(r"%%(?<!\w%%).*?%%|\^(?<!\S\^)(?=[\d-]*[a-zA-Z])[a-zA-Z0-9-]{2,}\s*\Z", re.DOTALL)
"""A comment, and the name of a block at its end."""

_HIGHLIGHT = re.compile(r"==(?=[^\s=])(?P<inside>[^=\n]*[^\s=])==")
_CALLOUT = re.compile(r"\[!(?P<kind>[a-zA-Z][\w-]*)\][+-]?[ \t]*")


def add_note_rules(parser: "MarkdownIt") -> None:
    """Adds the rules. `wiki_link` tokens hold `destination` and what is shown; `callout` tokens hold its kind."""
    for rule in (_read_wiki_link, _read_hidden, _read_highlight, _read_callout):
        parser.inline.ruler.before("link", rule.__name__.removeprefix("_read_"), rule)


def _read_wiki_link(state: "StateInline", silent: bool) -> bool:
    """`[[name|alias]]`."""
    match = WIKI_LINK.match(state.src, state.pos) if state.src.startswith(("[[", "![["), state.pos) else None
    if match is None:
        return False
    if not silent:
        token = state.push("wiki_link", "a", 0)
        token.meta["destination"] = wiki_destination(match)
        token.content = match["alias"] or match[0].lstrip("![").rstrip("]")
    state.pos = match.end()
    return True


def _read_hidden(state: "StateInline", silent: bool) -> bool:
    """`%%comment%%`, and `^name` at the end of a block: nothing is shown of them."""
    match = _HIDDEN.match(state.src, state.pos)
    if match is None:
        return False
    state.pos = match.end()
    return True


def _read_highlight(state: "StateInline", silent: bool) -> bool:
    """`==text==`, as `<u>`: `<mark>` is the mark of a quote."""
    match = _HIGHLIGHT.match(state.src, state.pos, state.posMax)
    if match is None:
        return False
    if not silent:
        end = state.posMax
        state.pos, state.posMax = match.span("inside")
        state.push("highlight_open", "u", 1)
        state.md.inline.tokenize(state)
        state.push("highlight_close", "u", -1)
        state.posMax = end
    state.pos = match.end()
    return True


def _read_callout(state: "StateInline", silent: bool) -> bool:
    """`[!note]` at the beginning of a block."""
    match = _CALLOUT.match(state.src) if state.pos == 0 else None
    if match is None:
        return False
    if not silent:
        state.push("callout", "strong", 0).content = match["kind"]
    state.pos = match.end()
    return True

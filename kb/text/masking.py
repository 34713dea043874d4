"""Texts in which personal data is covered, sign by sign, so that every place in them stays what it was. Pure."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from kb.ports import FindPersonal
from kb.values.documents import Document
from kb.values.personal import PersonalKind
from kb.values.scans import ScannedPage

COVER = "█"


class Mask:
    """Covers what is found.

    Args:
        find: Finds what is to be covered.

    Attributes:
        counts: How much was covered, by kind.
    """

    def __init__(self, find: FindPersonal) -> None:
        self._find = find
        self.counts: Counter[PersonalKind] = Counter()

    def text(self, text: str) -> str:
        """A text, as long as before; white space stays."""
        parts, end = [], 0
        for each in self._find(text):
            self.counts[each.kind] += 1
            parts += [text[end : each.start], re.sub(r"\S", COVER, text[each.start : each.end])]
            end = each.end
        return "".join([*parts, text[end:]])

    def document(self, document: Document) -> Document:
        """A document with everything that is shown or searched of it; links that had personal data lead nowhere."""
        text = self.text(document.text)
        names = {name for block in document.blocks for name in block.headings}
        headings = {name: Mask(self._find).text(name) for name in names}
        return replace(
            document,
            title=self.text(document.title),
            text=text,
            blocks=tuple(
                replace(block, headings=tuple(headings[name] for name in block.headings)) for block in document.blocks
            ),
            tags=self._all(document.tags),
            names=self._all(document.names),
            aliases=self._all(document.aliases),
            links=tuple(
                replace(link, target=self.text(link.target), fragment=self.text(link.fragment))
                for link in document.links
            ),
        )

    def scan(self, scan: ScannedPage) -> ScannedPage:
        """What was read in a picture; of its words those that are covered, too."""
        text = self.text(scan.text)
        signs = iter("".join(text.split()))
        words = tuple(replace(word, text="".join(islice(signs, len(word.text)))) for word in scan.words)
        return ScannedPage(text, words)

    def _all(self, texts: Iterable[str]) -> tuple[str, ...]:
        return tuple(map(self.text, texts))

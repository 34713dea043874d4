"""Items that were found, each where it stands: quoted, in order, and each once. Pure."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from kb.answering.kinds.cited_text import CitedText
from kb.answering.kinds.exhaustive.recognised import STANDS_FOR_ITSELF, recognised
from kb.citing.analysed_text import AnalysedText
from kb.citing.citations import Alignment, Citer
from kb.citing.quotes import Quote, quotes_of
from kb.text.scripts import in_one_writing
from kb.text.terms import content_terms
from kb.values.passages import Passage

_MARKS = re.compile(r"^(?:[-*•+>|]|\d{1,3}[.)、])*\s*|[\s|;；,，]+$")
_END = re.compile(r"[.。!！?？]+$")
_ASIDE = re.compile(r"\s*[(（:：—–].*$")
_MOST_PLACES = 3  # that are cited for one item


@dataclass(frozen=True, slots=True)
class Item:
    """Something that was looked for.

    Attributes:
        written: As it stands in the quote.
        key: The same for what says the same.
        quote: The sentence that it stands in.
        start: With `end`, where it stands, in characters of the document.
    """

    written: str
    key: str
    quote: Quote
    start: int = 0
    end: int = 0

    @property
    def sentence(self) -> str:
        """The words around it, on one line."""
        return " ".join(self.quote.analysed_text.text.split())


def items_of_forms(forms: Sequence[str], passage: Passage) -> Iterator[Item]:
    """The items of some forms that a passage has, in its order."""
    found = sorted((each for form in forms for each in recognised(form, passage.text)), key=lambda each: each.start)
    if not found:
        return
    quotes = quotes_of([passage])
    for each in found:
        quote = _quote_at(passage.start + each.start, quotes, passage)
        own = "" if each.form in STANDS_FOR_ITSELF else f" {quote.analysed_text.text}"
        yield Item(passage.text[each.start : each.end], f"{each.key}{own}", quote)


def items_of_lines(written: str, passage: Passage) -> Iterator[Item]:
    """The items that a model has copied from a passage, one on each line; what does not stand there is none.

    Where it does not stand there as a whole, its sentence may go on there, and words after a name are an aside.
    """
    quotes = quotes_of([passage])
    for line in written.splitlines():
        item = _MARKS.sub("", line)
        for wording in (item, _END.sub("", item), _ASIDE.sub("", item)):
            if len(wording) > 1 and (match := _found(wording, passage.text)):
                start, end = passage.start + match.start(), passage.start + match.end()
                quote = _quote_at(start, quotes, passage)
                yield Item(" ".join(match[0].split()), _key(wording), quote, start, end)
                break


def apart(items: Iterable[Item]) -> list[Item]:
    """Items of one passage in the order of its text, none within another.

    Of a stretch that holds one of them, the stretch is the item: a name and its first word; of one that holds several,
    they are: it was a list.
    """
    found = list({(item.start, item.end): item for item in items}.values())
    lists = [each for each in found if sum(_is_within(other, each) for other in found) > 1]
    single = [each for each in found if each not in lists]
    kept = [each for each in single if not any(_is_within(each, other) for other in single)]
    return sorted(kept, key=lambda item: item.start)


def words_beside(items: Sequence[Item], most: int) -> list[Item]:
    """Words of the passages of some items that are in none of them, evenly from all of these."""
    taken = " ".join(item.key for item in items)
    passages = list(dict.fromkeys(item.quote.passage for item in items))
    words = [
        word
        for passage in passages
        for term in dict.fromkeys(content_terms(passage.text))
        if term not in taken
        for word in items_of_lines(term, passage)
    ]
    return words[:: max(1, len(words) // most)][:most] if most else []


def merged(items: Iterable[Item]) -> list[list[Item]]:
    """Items that say the same, together; in the order of the first of them."""
    groups: dict[str, list[Item]] = {}
    for item in items:
        groups.setdefault(item.key, []).append(item)
    return list(groups.values())


def cited(group: Sequence[Item]) -> CitedText:
    """An item with the places where it stands."""
    text = " ".join(group[0].written.replace("|", "/").split())
    quotes = {item.quote.key: item.quote for item in group}
    citations = [
        citation
        for quote in list(quotes.values())[:_MOST_PLACES]
        for citation in Citer("", [quote.passage]).citations(
            Alignment((quote,), score=1.0, is_said=True, lacks=False), (0, len(text)), "supported"
        )
    ]
    return CitedText(text, tuple(citations), about=group[0].sentence)


def _key(wording: str) -> str:
    """The words that carry meaning: an article more, or the plural, is the same item."""
    return " ".join(sorted(set(content_terms(wording)))) or in_one_writing(wording).casefold()


def _is_within(item: Item, other: Item) -> bool:
    return item is not other and other.start <= item.start and item.end <= other.end


def _found(wording: str, text: str) -> re.Match[str] | None:
    return re.search(r"\s+".join(map(re.escape, wording.split())), text, re.IGNORECASE)


def _quote_at(offset: int, quotes: Sequence[Quote], passage: Passage) -> Quote:
    """The sentence that holds a character of a passage; a heading is none, but may have the only date of a diary."""
    if quote := next((quote for quote in quotes if quote.start <= offset < quote.end), None):
        return quote
    at = offset - passage.start
    start = passage.text.rfind("\n", 0, at) + 1
    line = passage.text[start:].partition("\n")[0]
    start += len(line) - len(line.lstrip("# "))
    begin, text = passage.start + start, line.strip("# \r")
    return Quote(passage, passage.part_at(begin), begin, begin + len(text), AnalysedText(text), frozenset())

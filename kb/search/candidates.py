"""The chunks that may answer a question, and what its words say for each of them and for its document.

Where the question means one document, what it seeks is looked for in there once more, without the words that only say
which document that is (`kb.search.meant`). Knows nothing about vectors.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from kb.catalog.catalog import Catalog
from kb.search.fusion import DOCUMENT_WEIGHT, NEWNESS_WEIGHT
from kb.search.meant import LONG_CHUNKS, OPENING_CHUNKS, Meant, meant_document, what_is_sought
from kb.search.recency import asks_for_newest, newness
from kb.text.terms import content_terms, search_terms
from kb.values.filters import EVERYTHING, Filters

DEPTH = 50
"""Hits taken from each list before fusion."""


@dataclass(frozen=True, slots=True)
class Candidates:
    """What the words say for chunks; all by chunk.

    Attributes:
        document_ids: Of all candidates.
        lexical: Share of the best lexical score in 0…1; in the document that is meant, for what is sought in it. The
            name of a short document counts as if it stood in its chunks.
        said: The same for the whole question, as far as that is known.
        documents: Share of the question that says its document is meant, in 0…1.
        newness: How new its document is in 0…1; empty where nobody asked.
        meant: Those of the document that is meant.
    """

    document_ids: Mapping[int, str]
    lexical: Mapping[int, float]
    said: Mapping[int, float]
    documents: Mapping[int, float]
    newness: Mapping[int, float]
    meant: Collection[int] = ()


def gather(
    catalog: Catalog,
    query: str,
    near: Collection[int],
    filters: Filters = EVERYTHING,
    outdated: Collection[str] = (),
) -> Candidates:
    """Finds the chunks that may answer a question.

    Args:
        near: Those that are near in meaning.
        filters: Which documents are searched.
        outdated: Ids of documents that do not answer.
    """
    terms, content = search_terms(query), content_terms(query)
    by_words = dict(catalog.keywords.search(terms, DEPTH, filters))
    named = catalog.names.chunks_of_named(content, filters)
    holders = catalog.chunks.holders([*{*near, *by_words, *named}])
    document_ids = {key: holder for key, holder in holders.items() if holder not in outdated}
    shares = catalog.keywords.document_shares(terms, {*document_ids.values()})
    new = newness(catalog.dates([*shares])) if asks_for_newest(query) else {}
    likely = {key: DOCUMENT_WEIGHT * share + NEWNESS_WEIGHT * new.get(key, 0.0) for key, share in shares.items()}
    said = {key: share for key, share in by_words.items() if key in document_ids}
    lexical, meant = said, _meant(catalog, content, likely)
    if meant:
        found = catalog.keywords.search_in(meant.document_id, meant.sought, DEPTH)
        document_ids |= dict.fromkeys(found, meant.document_id)
        known = catalog.keywords.weight(meant.sought) / catalog.keywords.weight(terms)
        said = {key: known * share for key, share in found.items()} | said
        elsewhere = {key for key in said if document_ids[key] != meant.document_id or key in meant.opening}
        lexical = found | {key: said[key] for key in elsewhere}
    names = catalog.keywords.name_shares(terms, shares)
    by_name = {key: names[holder] for key, holder in document_ids.items() if holder in names}
    return Candidates(
        document_ids=document_ids,
        lexical={key: lexical.get(key, 0.0) + by_name.get(key, 0.0) for key in {**lexical, **by_name}},
        said=said,
        documents={key: shares[holder] for key, holder in document_ids.items()},
        newness={key: new[holder] for key, holder in document_ids.items() if holder in new},
        meant={key for key, holder in document_ids.items() if meant and holder == meant.document_id},
    )


def _meant(catalog: Catalog, content: Sequence[str], likely: Mapping[str, float]) -> Meant | None:
    document = catalog.document(meant_document(likely) or "")
    if document is None or document.chunk_count < LONG_CHUNKS:
        return None
    opening, goes_by = catalog.keywords.opening(document.id, OPENING_CHUNKS)
    sought = what_is_sought(content, goes_by)
    return Meant(document.id, opening, sought) if sought else None

"""What embedding models want before a text, where neither their files nor their server say it.

Pure; from the models' own pages.
"""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What stands before a question, and before what is to be found."""

    query: str = ""
    passage: str = ""


_TASK = "Instruct: Given a web search query, retrieve relevant passages that answer the query\nQuery:"
_BGE_EN = "Represent this sentence for searching relevant passages: "

_KNOWN: tuple[tuple[str, Prefixes], ...] = (
    (r"qwen3-embedding", Prefixes(_TASK)),
    (r"e5-.*instruct|gte-qwen", Prefixes(f"{_TASK} ")),
    (r"(?:^|\W)(?:multilingual-)?e5-", Prefixes("query: ", "passage: ")),
    (r"nomic-embed", Prefixes("search_query: ", "search_document: ")),
    (r"embedding-?gemma", Prefixes("task: search result | query: ", "title: none | text: ")),
    (r"bge-\w+-zh", Prefixes("为这个句子生成表示以用于检索相关文章：")),
    (r"arctic-embed-\w+-v2", Prefixes("query: ")),
    (r"bge-\w+-en|mxbai-embed|arctic-embed", Prefixes(_BGE_EN)),
)


def prefixes_of(*names: str) -> Prefixes:
    """What a model wants, told from its names; nothing of one that is not known, as of most."""
    written = (re.sub(r"[\s_]+", "-", name.lower()) for name in names)
    found = (prefixes for name in written for pattern, prefixes in _KNOWN if re.search(pattern, name))
    return next(found, Prefixes())

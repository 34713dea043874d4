"""What embedding models want before a text: servers do not put it there. Pure; from the models' own pages."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Prefixes:
    """What stands before a question, and before what is to be found."""

    query: str = ""
    passage: str = ""


_TASK = "Given a question, retrieve passages that answer it"
_BGE_EN = "Represent this sentence for searching relevant passages: "

_KNOWN: tuple[tuple[str, Prefixes], ...] = (
    (r"e5-.*instruct|qwen3-embedding", Prefixes(f"Instruct: {_TASK}\nQuery: ")),
    (r"(?:^|\W)(?:multilingual-)?e5-", Prefixes("query: ", "passage: ")),
    (r"nomic-embed", Prefixes("search_query: ", "search_document: ")),
    (r"embedding-?gemma", Prefixes("task: search result | query: ", "title: none | text: ")),
    (r"bge-\w+-zh", Prefixes("为这个句子生成表示以用于检索相关文章：")),
    (r"bge-\w+-en|mxbai-embed|arctic-embed", Prefixes(_BGE_EN)),
)


def prefixes_of(model: str) -> Prefixes:
    """What a model wants, told from its name; nothing of one that is not known, as of most."""
    name = model.lower()
    return next((prefixes for pattern, prefixes in _KNOWN if re.search(pattern, name)), Prefixes())

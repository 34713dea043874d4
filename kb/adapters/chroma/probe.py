"""Tries a Chroma store out in a process that may crash: reads from all over the files, and writes.

Run as `python -m kb.adapters.chroma.probe FOLDER`; ends with 0 if all went well.
"""

import sys
from pathlib import Path

import numpy as np

from kb.adapters.chroma.local import open_client
from kb.errors import VectorIndexError

PROBE_VECTORS = 200


def probe(path: Path) -> None:
    """Reads vectors from all over the files, asks for them, and writes one as it is: what is damaged fails here.

    Args:
        path: Folder of the store.

    Raises:
        VectorIndexError: Links are lost. Damage elsewhere raises what Chroma raises, or ends the process.
    """
    if not all(_has_all_links(links) for links in path.rglob("link_lists.bin")):
        raise VectorIndexError(f"{path} has lost links between vectors")
    for collection in open_client(path).list_collections():
        ids = collection.get(include=[])["ids"]
        sample = ids[:: max(1, len(ids) // PROBE_VECTORS)]
        if not sample:
            continue
        found = collection.get(ids=sample, include=["embeddings"])
        stored = np.asarray(found["embeddings"], dtype=np.float32)
        collection.query(query_embeddings=stored, n_results=1, include=[])
        collection.upsert(ids=found["ids"][:1], embeddings=stored[:1])
        collection.query(query_embeddings=stored[:1], n_results=1, include=[])


def _has_all_links(path: Path) -> bool:
    """Whether a file of links, which searches read here and there only, has its record for each vector.

    In hnswlib's format a record is a length, u32, and so many bytes; `length.bin` beside it has a u32 for each vector.
    """
    content, start, records = path.read_bytes(), 0, 0
    while start < len(content):
        start += 4 + int.from_bytes(content[start : start + 4], "little")
        records += 1
    vectors = path.with_name("length.bin").stat().st_size // 4
    return start == len(content) and records in (0, vectors)


if __name__ == "__main__":
    probe(Path(sys.argv[1]))

"""What differs between a folder and its index, looked for from outside: the folder is walked and read here anew.

Texts carry words that stand nowhere else, so that a search can show for each file whether its own text is found.
"""

import hashlib
import os
import random
import re
import sqlite3
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from kb.answering.questions import MAX_TOP_K
from kb.catalog.index_record import IndexRecord
from kb.data_directory import CATALOG_NAME
from kb.knowledge_base import KnowledgeBase
from kb.search.dense import vector_id
from kb.values.filters import Filters

TEXT_EXTENSIONS = (".md", ".txt")
_WORD = re.compile(r"zq[a-z]{12}")
_SENTENCES = (
    "The dome was repaired in the spring of the year {}.",
    "Nobody had counted the otters before, but {} were seen.",
    "站务会议决定更换编号为 {} 的电池。",
    "Read the manual of the {} twice before you open the case.",
    "雨季的茶叶 {} 要在三天之内焙干。",
)


class Words:
    """Makes words and texts that were never there before, and remembers the words."""

    def __init__(self, dice: random.Random) -> None:
        self.made: list[str] = []
        self._dice = dice

    def word(self) -> str:
        """A new word; all have the same length."""
        self.made.append("zq" + "".join(self._dice.choices("abcdefghijklmnoprtuvw", k=12)))
        return self.made[-1]

    def text(self, sentences: int = 3) -> str:
        """A Markdown text of new sentences, each in a section of its own."""
        return "\n\n".join(
            f"## Section {number}\n\n{self._dice.choice(_SENTENCES).format(self.word())}" for number in range(sentences)
        )


def words_in(content: bytes) -> list[str]:
    """The words made by `Words` that stand in a file."""
    return _WORD.findall(content.decode(errors="replace"))


@dataclass
class _Folder:
    """What stands in a folder.

    Attributes:
        contents: Of the files that have text, by path.
        failing: Files of which no text can be had.
        either: Files that may be either: what the readers make of them is their affair.
    """

    contents: dict[str, bytes] = field(default_factory=dict)
    failing: set[str] = field(default_factory=set)
    either: dict[str, bytes] = field(default_factory=dict)


def differences(folder: Path, knowledge_base: KnowledgeBase, words: Collection[str] = ()) -> list[str]:
    """Compares a folder with what a knowledge base lists and finds.

    Args:
        words: All that were ever written; those that stand in no file any more must not be found.

    Returns:
        One line a difference.
    """
    there = _read(folder)
    return [*_listed_wrongly(folder, there, knowledge_base), *_found_wrongly(there, knowledge_base, words)]


def storage_differences(home: Path, ids_of: Callable[[str], set[str]]) -> list[str]:
    """Compares what a data directory holds of the same documents in different places.

    Args:
        ids_of: Gives the ids in a generation of the vector index.

    Returns:
        One line a difference.
    """
    embeddings = "SELECT text_hash FROM embeddings WHERE identity = ?"
    empty_documents = "SELECT count(*) FROM documents WHERE id NOT IN (SELECT document_id FROM chunks)"
    connection = sqlite3.connect(f"file:{home / CATALOG_NAME}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("BEGIN")
        facts = connection.execute("SELECT value FROM facts WHERE name = 'index'").fetchone()
        record = IndexRecord.from_json(facts[0])
        keys = set(connection.execute("SELECT document_id, text_hash FROM chunks"))
        chunks = {row[0] for row in connection.execute("SELECT id FROM chunks")}
        terms = {row[0] for row in connection.execute("SELECT rowid FROM chunk_terms")}
        embedded = {row[0] for row in connection.execute(embeddings, (record.space.key,))}
        (empty,) = connection.execute(empty_documents).fetchone()
        health = [row[0] for row in connection.execute("PRAGMA integrity_check")]
    finally:
        connection.close()
    wanted, present = {vector_id(*key) for key in keys}, ids_of(record.generation)
    counts = {
        "vectors without a chunk": len(present - wanted),
        "chunks without a vector": len(wanted - present),
        "chunks without an embedding": len({key for _, key in keys} - embedded),
        "chunks without terms": len(chunks - terms),
        "terms without a chunk": len(terms - chunks),
        "documents without a chunk": empty,
    }
    return [f"{count} {name}" for name, count in counts.items() if count] + [line for line in health if line != "ok"]


def _read(folder: Path) -> _Folder:
    there = _Folder()
    for path in _visible_files(folder):
        name = path.relative_to(folder).as_posix()
        extension = path.suffix.lower()
        if extension not in (*TEXT_EXTENSIONS, ".pdf"):
            continue
        try:
            content = path.read_bytes()
        except PermissionError:
            there.failing.add(name)
            continue
        if extension == ".pdf":
            there.either[name] = content
        elif content.strip():
            there.contents[name] = content
        else:
            there.failing.add(name)
    return there


def _visible_files(folder: Path) -> Iterator[Path]:
    """Files that are not hidden; links to files count as files, unless they lead out of the folder."""
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                yield path


def _listed_wrongly(folder: Path, there: _Folder, knowledge_base: KnowledgeBase) -> Iterator[str]:
    listed: dict[str, list[str]] = {}
    for document in knowledge_base.documents():
        name = Path(document.file.root, document.file.source).relative_to(folder).as_posix()
        listed.setdefault(name, []).append(document.file.sha256)
    failed = {
        Path(failure.file.root, failure.file.source).relative_to(folder).as_posix(): failure.reason
        for failure in knowledge_base.failures()
    }
    either = {name: content for name, content in there.either.items() if name not in failed}
    for name, content in {**there.contents, **either}.items():
        hashes = listed.pop(name, [])
        if hashes != [hashlib.sha256(content).hexdigest()]:
            state = "not listed" if not hashes else f"listed {len(hashes)} times, or in another version"
            yield f"{name}: {state}; failure: {failed.get(name)}"
    for name in listed:
        yield f"{name}: listed, but {'has no text' if name in there.failing else 'not there'}"
    for name in there.failing:
        if not failed.get(name):
            yield f"{name}: has no text, and no failure says so"
    for name in failed.keys() - there.failing - there.either.keys():
        yield f"{name}: {'can be read' if name in there.contents else 'not there'}, but has failed: {failed[name]}"


def _found_wrongly(there: _Folder, knowledge_base: KnowledgeBase, words: Collection[str]) -> Iterator[str]:
    holders: dict[str, set[str]] = {}
    looked_for: set[str] = set()
    for name, content in there.contents.items():
        own = words_in(content)
        looked_for.update(own[:1], own[-1:])
        for word in own:
            holders.setdefault(word, set()).add(name)
    names = {document.id: document.file.source for document in knowledge_base.documents()}
    for word in sorted(looked_for.union(set(words) - holders.keys())):
        wanted = holders.get(word, set())
        # The fake embedder's cosines tell words apart badly, so the holders are asked for by themselves, too.
        holding = tuple(document_id for document_id, name in names.items() if name in wanted)
        passages = [
            *knowledge_base.search(word, 10),
            *knowledge_base.search(word, MAX_TOP_K, Filters(document_ids=holding or ("-",))),
        ]
        found = {
            names.get(passage.document_id, "a document that is not listed")
            for passage in passages
            if word in passage.text
        }
        # Equal texts are shown once, so that one of several holders is enough.
        if not found <= wanted or (wanted and not found):
            yield f"{word}: stands in {sorted(wanted) or 'no file'}, found in {sorted(found) or 'none'}"

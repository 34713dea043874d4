import random
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from kb.values.answers import AskOptions
from kb.values.documents import Block, Chunk, Document, FileVersion
from kb.values.passages import Passage
from tests.endurance.comparing import Words
from tests.endurance.running import knowledge_base_over_chroma

QUESTION = "When does the lantern of the dome shine?"
CHUNKS = 12
_VERSION = re.compile(r"zq[a-z]+")


def document_of(version: str) -> tuple[Document, list[Chunk]]:
    """A document all of whose chunks carry one word, and fit the question."""
    texts = [f"The lantern of the dome shines at hour {number}, says {version}." for number in range(CHUNKS)]
    text = "\n".join(texts)
    starts = [text.index(part) for part in texts]
    chunks = [
        Chunk(start, start + len(part), part, tokens=len(part.split()))
        for start, part in zip(starts, texts, strict=True)
    ]
    return Document("Lantern", "text/plain", text, (Block(0, len(text)),)), chunks


class Reader:
    """Asks again and again, and notes what was wrong."""

    def __init__(self, ask: Callable[[str], tuple[Passage, ...]], document_id: str) -> None:
        self.wrong: list[str] = []
        self.asked = 0
        self._ask = ask
        self._document_id = document_id

    def read(self, is_over: threading.Event) -> None:
        try:
            while not is_over.is_set():
                found = [passage.text for passage in self._ask(QUESTION) if passage.document_id == self._document_id]
                versions = {version for text in found for version in _VERSION.findall(text)}
                if len(versions) != 1:
                    self.wrong.append(f"versions in one result: {sorted(versions)}")
                self.asked += 1
        except BaseException as error:  # noqa: BLE001 - a thread's error is the test's
            self.wrong.append(repr(error))


@contextmanager
def reading(*readers: Reader) -> Iterator[None]:
    is_over = threading.Event()
    threads = [threading.Thread(target=reader.read, args=(is_over,)) for reader in readers]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


@pytest.mark.slow
def test_readers_see_one_version_of_a_document_and_always_one_while_it_is_replaced(
    settings: Settings, dice: random.Random, scaled: Callable[[int, int], int]
) -> None:
    words, lookup = Words(dice), AskOptions(kind="lookup")
    with knowledge_base_over_chroma(settings) as (knowledge_base, _):
        for number in range(3):
            replace(knowledge_base, f"other-{number}.txt", *document_of(f"stranger {number}"))
        document_id = replace(knowledge_base, "lantern.txt", *document_of(words.word()))
        readers = [
            Reader(lambda question: knowledge_base.search(question, 40), document_id),
            Reader(lambda question: knowledge_base.search(f"{question} {words.made[-1]}", 40), document_id),
            Reader(lambda question: knowledge_base.search(words.made[0] + question, 40), document_id),
            Reader(
                lambda question: knowledge_base.ask(f"{question} {words.made[-1]}", (), lookup).passages, document_id
            ),
        ]
        with reading(*readers):
            for _ in range(scaled(60, 500)):
                replace(knowledge_base, "lantern.txt", *document_of(words.word()))
        assert [reader.wrong[:3] for reader in readers] == [[]] * 4
        assert all(reader.asked > 5 for reader in readers)


def replace(knowledge_base: KnowledgeBase, source: str, document: Document, chunks: list[Chunk]) -> str:
    size = len(document.text.encode())
    return knowledge_base.replace(FileVersion("/watched", source, size, 0, str(hash(document.text))), document, chunks)

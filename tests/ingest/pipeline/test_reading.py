import os
import sys
import threading
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

import psutil
import pytest

from ingest.pipeline.in_hand import InHand
from ingest.pipeline.reading import Readers
from ingest.sandbox.parser import ParserUnavailable
from ingest.settings import IngestSettings
from kb.settings import load
from kb.values.documents import FileVersion
from server.settings import ServerSettings
from tests.fakes import FakeEmbedder
from tests.harness import open_fake_knowledge_base, watching


def test_reading_asked_for_after_the_end_fails_and_says_nothing_about_the_file(tmp_path: Path) -> None:
    told: list[None] = []
    settings = load(kind=IngestSettings, home=tmp_path / "home", models=tmp_path)
    with open_fake_knowledge_base(settings) as knowledge_base:
        readers = Readers(knowledge_base, settings, lambda: told.append(None), InHand(settings.home / "in_hand.json"))
        readers.close()
        reading = readers.read(FileVersion(str(tmp_path), "a.md", 1, 1))
        assert isinstance(reading.exception(0), ParserUnavailable)
        with pytest.raises(ParserUnavailable):
            reading.result(0)
    assert told == [None]


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere memory has no limit")
@pytest.mark.parametrize("modest_bytes", [20_000_000, 100_000_000])
def test_file_that_needs_much_memory_is_read_again_with_all_that_it_may_have(tmp_path: Path, modest_bytes: int) -> None:
    (tmp_path / "endless.md").write_text("a\n" * 3_000_000)
    settings = load(kind=IngestSettings, home=tmp_path / "home", models=tmp_path, parse_memory_bytes=100_000_000)
    with open_fake_knowledge_base(settings) as knowledge_base:
        note = InHand(tmp_path / "in_hand.json")
        with closing(Readers(knowledge_base, settings, lambda: None, note, modest_bytes=modest_bytes)) as readers:
            reading = readers.read(FileVersion(str(tmp_path), "endless.md", 6_000_000, 1)).result()
    assert reading.error
    assert reading.error.message == "needed more memory than 100 MB"


def test_files_that_come_one_by_one_are_read_by_one_process(tmp_path: Path) -> None:
    settings = load(kind=IngestSettings, home=tmp_path / "home", models=tmp_path)
    seen = set[int]()
    with open_fake_knowledge_base(settings) as knowledge_base:
        note = InHand(settings.home / "in_hand.json")
        with closing(Readers(knowledge_base, settings, lambda: None, note)) as readers:
            for name in ("a.md", "b.md", "c.md"):
                (tmp_path / name).write_text("Otters float.")
                assert readers.read(FileVersion(str(tmp_path), name, 13, 1)).result().document
                seen |= {child.pid for child in psutil.Process().children() if "ingest.sandbox.main" in child.cmdline()}
    assert len(seen) == 1


class SlowCounter(FakeEmbedder):
    """Takes its time to count the tokens of each batch."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        threading.Event().wait(0.3)
        return super().count_tokens(texts)


def test_file_that_takes_too_long_to_be_cut_is_listed_and_stops_nothing(
    settings: ServerSettings, tmp_path: Path
) -> None:
    text = "\n\n".join(f"The sentence with number {n} says that {n} is a number." for n in range(20_000))
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "long.txt").write_text(text)
    with watching(settings.model_copy(update={"parse_seconds": 2.0}), folder, embedder=SlowCounter()) as watched:
        assert watched.pipeline.sync(25)
        (failure,) = watched.knowledge_base.failures()
        assert failure.reason == "took longer than 2 s to read and to cut into chunks"
        assert "KB_PARSE_SECONDS" in failure.hint
        watched.write("short.txt", "Otters float.")
        watched.sync()
        assert watched.sources == ["short.txt"]


@pytest.mark.skipif(os.name == "nt", reason="there are no pipes among files")
@pytest.mark.parametrize("swapped", ["link", "pipe", "device"])
def test_what_took_the_place_of_a_file_after_the_look_is_not_read(tmp_path: Path, swapped: str) -> None:
    settings = load(kind=IngestSettings, home=tmp_path / "home", models=tmp_path)
    folder, secret = tmp_path / "papers", tmp_path / "secret.md"
    folder.mkdir()
    secret.write_text("secret")
    if swapped == "pipe":
        os.mkfifo(folder / "a.md")
    else:
        (folder / "a.md").symlink_to(secret if swapped == "link" else "/dev/zero")
    with open_fake_knowledge_base(settings) as knowledge_base:
        readers = Readers(knowledge_base, settings, lambda: None, InHand(settings.home / "in_hand.json"))
        try:
            reading = readers.read(FileVersion(str(folder), "a.md", 6, 1)).result(20)
        finally:
            readers.close()
    assert reading.document is None
    assert reading.error is not None
    assert "cannot be read" in reading.error.message
    assert reading.file.sha256 == ""

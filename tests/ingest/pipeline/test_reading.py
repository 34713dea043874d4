from pathlib import Path

import pytest

from ingest.pipeline.reading import Readers
from ingest.sandbox.parser import ParserUnavailable
from ingest.settings import IngestSettings
from kb.settings import load
from kb.values.documents import FileVersion
from tests.harness import open_fake_knowledge_base


def test_reading_asked_for_after_the_end_fails_and_says_nothing_about_the_file(tmp_path: Path) -> None:
    told: list[None] = []
    settings = load(kind=IngestSettings, home=tmp_path / "home", models=tmp_path)
    with open_fake_knowledge_base(settings) as knowledge_base:
        readers = Readers(knowledge_base, settings, lambda: told.append(None))
        readers.close()
        reading = readers.read(FileVersion(str(tmp_path), "a.md", 1, 1))
        assert isinstance(reading.exception(0), ParserUnavailable)
        with pytest.raises(ParserUnavailable):
            reading.result(0)
    assert told == [None]

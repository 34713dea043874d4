"""The knowledge base of a process that outlives servers."""

from pathlib import Path

import pytest

from kb.errors import DataDirectoryLocked
from server.client.lasting import LastingService
from server.settings import ServerSettings
from tests.harness import open_fake_knowledge_base, serving
from tests.server.client.watching import QUESTION, show_nothing


def test_whoever_has_the_directory_by_then_is_asked(settings: ServerSettings, folder: Path) -> None:
    service = LastingService(settings, show_nothing)
    with open_fake_knowledge_base(settings), pytest.raises(DataDirectoryLocked):
        service.documents()
    with serving(settings, folder) as served:
        served.sync()
        (document,) = service.documents(10).documents
        assert service.document(document.id, 8, 23).text == "The second dome"
    with serving(settings, folder):
        assert [passage.source for passage in service.search("second dome", 1).passages] == ["dome.md"]
        *_, answer = service.ask(QUESTION)
        assert answer.model_dump()["citations"][0]["source"] == "dome.md"
    service.close()


def test_closed_without_a_call_it_has_opened_nothing(settings: ServerSettings) -> None:
    LastingService(settings, show_nothing).close()
    assert not settings.home.exists()

from pathlib import Path

from kb.models.loading import LoadState
from kb.wiring import KnowledgeBase
from server.client.local import Local
from tests.harness import open_fake_library, quick_settings


def show_nothing(library: KnowledgeBase, answering: bool) -> None:
    library.wait_for_retrieval()


def test_question_in_the_terminal_waits_for_a_reranker_that_loads_as_no_second_one_will_come(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "home", reranker="owner/reranker", folders=(tmp_path,))
    for ask in (
        lambda service: service.search("dome", None),
        lambda service: list(service.ask("When was the dome repaired?", None, None)),
    ):
        library = open_fake_library(settings)
        service = Local(library, show_nothing)
        ask(service)
        reranker = library.reranker()
        assert reranker is not None
        assert reranker.loading.state is LoadState.READY
        service.close()

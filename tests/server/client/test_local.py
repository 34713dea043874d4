from pathlib import Path

from kb.knowledge_base import KnowledgeBase
from kb.models.loading import LoadState
from server.client.local import Local
from tests.harness import open_fake_knowledge_base, quick_settings


def show_nothing(knowledge_base: KnowledgeBase, answering: bool) -> None:
    knowledge_base.wait_for_index()


def test_question_in_the_terminal_waits_for_a_reranker_that_loads_as_no_second_one_will_come(tmp_path: Path) -> None:
    settings = quick_settings(tmp_path / "home", reranker="owner/reranker", folders=(tmp_path,))
    for ask in (
        lambda service: service.search("dome", None),
        lambda service: list(service.ask("When was the dome repaired?", None, None)),
    ):
        knowledge_base = open_fake_knowledge_base(settings)
        service = Local(knowledge_base, show_nothing, settings)
        ask(service)
        reranker = knowledge_base.reranker()
        assert reranker is not None
        assert reranker.loading.state is LoadState.READY
        service.close()

import threading
from pathlib import Path

import pytest

from kb.answering.engines.models import Models
from kb.catalog.catalog import Catalog
from kb.catalog.index_record import Space
from kb.data_directory import DataDirectoryLock
from kb.errors import (
    ModelMissing,
)
from kb.indexing.startup import open_index
from kb.indexing.upkeep import Upkeep
from kb.knowledge_base import KnowledgeBase
from kb.models.loading import Loading, LoadState
from kb.ports import LanguageModel
from kb.settings import Settings
from kb.values.chat import LanguageModelInfo
from kb.values.progress import Progress, Report
from kb.wiring import CATALOG_NAME
from tests.fake_indexes import FakeIndexStores
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base, quick_settings
from tests.kb.knowledge_base.knowledge_base_harness import DOME, PATIENCE_SECONDS, add


def test_a_model_that_is_being_fetched_is_called_so(settings: Settings) -> None:
    reported, fetched = threading.Event(), threading.Event()

    def load_model(report: Report) -> LanguageModel:
        report(Progress("some-model", 1, 2))
        reported.set()
        fetched.wait(20)
        return FakeLanguageModel()

    def load_retrieval(_: Report) -> Upkeep:
        return open_index(catalog, FakeIndexStores(), Space("fake"), FakeEmbedder(), lambda space: None)

    lock = DataDirectoryLock(settings.home)
    catalog = Catalog(settings.home / CATALOG_NAME)
    loadings = Loading("embedding model", load_retrieval), Loading("answering model", load_model)
    with KnowledgeBase(settings, lock, catalog, Models(settings, *loadings)) as knowledge_base:
        knowledge_base.models.start()
        assert reported.wait(20)
        assert knowledge_base.models.answering().note == "some-model is being fetched"
        fetched.set()
        assert knowledge_base.models.wait_for_model(20)
        assert knowledge_base.models.answering().name == "fake"


def test_models_are_loaded_when_they_are_needed_and_not_before(knowledge_base: KnowledgeBase) -> None:
    assert knowledge_base.documents() == []
    assert knowledge_base.models.embedding().loading.state is LoadState.WAITING
    knowledge_base.search("dome")
    assert knowledge_base.models.embedding().loading.state is LoadState.READY
    assert knowledge_base.models.answering().loading.state is LoadState.WAITING
    assert knowledge_base.models.wait_for_model(PATIENCE_SECONDS)
    status = knowledge_base.models.answering()
    assert (status.name, status.loading.state) == ("fake", LoadState.READY)
    assert isinstance(status.info, LanguageModelInfo)


def test_warming_up_loads_both_models(knowledge_base: KnowledgeBase) -> None:
    knowledge_base.models.start()
    assert knowledge_base.wait_for_index(PATIENCE_SECONDS)
    assert knowledge_base.models.wait_for_model(PATIENCE_SECONDS)


def test_model_that_failed_is_tried_again_when_somebody_waits_for_it(settings: Settings) -> None:
    failures = iter([ModelMissing("no network"), None])

    def fail_once(name: str) -> None:
        if name == "answering" and (error := next(failures)):
            raise error

    with open_fake_knowledge_base(settings, before_loading=fail_once) as knowledge_base:
        add(knowledge_base, "dome.md", DOME)
        with pytest.raises(ModelMissing, match="no network"):
            knowledge_base.ask("When does the second dome open?")
        assert knowledge_base.search("second dome"), "passages are found without the answering model"
        assert knowledge_base.models.wait_for_model(PATIENCE_SECONDS)
        assert knowledge_base.ask("When does the second dome open?").answerable


def test_small_model_and_the_host_of_the_large_one_are_told(tmp_path: Path) -> None:
    names = {"model": "openai:big@https://api.example.com/v1", "small_model": "qwen2.5-coder-1.5b-instruct"}
    with open_fake_knowledge_base(quick_settings(tmp_path / "home", **names), small=FakeLanguageModel()) as base:
        large, small = base.models.answering(), base.models.small()
    assert (large.name, large.host) == ("big", "api.example.com")
    assert "api.example.com" in large.note
    assert small and (small.name, small.host) == ("qwen2.5-coder-1.5b-instruct", "")

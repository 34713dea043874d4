from collections.abc import Iterator
from pathlib import Path

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings, load
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """The fake vectors lie farther apart than those of a real model."""
    return load(home=tmp_path / "home", models=tmp_path / "models", min_evidence=0.0)


@pytest.fixture
def embedder() -> FakeEmbedder:
    return FakeEmbedder()


@pytest.fixture
def model() -> FakeLanguageModel:
    return FakeLanguageModel("It opens at nine in the evening.", "Let us see.")


@pytest.fixture
def knowledge_base(settings: Settings, embedder: FakeEmbedder, model: FakeLanguageModel) -> Iterator[KnowledgeBase]:
    with open_fake_knowledge_base(settings, embedder=embedder, model=model) as knowledge_base:
        yield knowledge_base

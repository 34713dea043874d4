"""Weights that are fitted to a new embedding model once, and kept."""

import threading
from pathlib import Path

import pytest

from kb.answering.understanding.decide import QuestionClassifier, QuestionWeights
from kb.answering.understanding.features import features_of
from kb.answering.understanding.question_weights import classifier_for, from_json
from kb.ports import Embedder
from kb.settings import Settings
from tests.fakes import FakeEmbedder
from tests.harness import FAKE_WEIGHTS, PATIENCE_SECONDS, fitted_once, open_fake_knowledge_base


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the threads that have fitted; what they find was found before."""
    _, found = from_json(FAKE_WEIGHTS.read_text("utf-8"))
    threads: list[str] = []

    def fit(embedder: object) -> QuestionWeights:
        threads.append(threading.current_thread().name)
        return found

    monkeypatch.setattr("kb.answering.understanding.question_weights.fit_to_questions", fit)
    return threads


def test_a_model_without_shipped_weights_is_fitted_once(fits: list[str], tmp_path: Path) -> None:
    embedder = FakeEmbedder()
    vector = features_of("How many files are there?", embedder.embed_query("How many files are there?"))
    first, second = (classifier_for("new", embedder, tmp_path) for _ in range(2))
    assert len(fits) == 1
    assert first.decide(vector) == second.decide(vector)
    classifier_for("new", FakeEmbedder("another"), tmp_path)
    assert len(fits) == 2


def test_what_another_version_has_kept_counts_for_nothing(
    fits: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for version in (1, 2):
        monkeypatch.setattr("kb.answering.understanding.question_weights._VERSION", version)
        classifier_for("new", FakeEmbedder(), tmp_path)
    assert len(fits) == 2


def test_model_elsewhere_is_not_asked_before_anybody_asks(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    started: list[object] = []
    elsewhere = settings.model_copy(update={"embedding_model": "openai:embedder@https://models.example/v1"})
    assert elsewhere.remote_embedder is not None
    with open_fake_knowledge_base(elsewhere) as knowledge_base:
        monkeypatch.setattr(knowledge_base._questions, "fit_ahead", lambda: started.append(None))
        knowledge_base.fit_ahead()
        assert not any(thread.name == "fit-ahead" for thread in threading.enumerate())
    assert not started


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"model": "fake"}', b"\xff\xfe"])
def test_what_was_kept_and_is_damaged_is_fitted_again(fits: list[str], tmp_path: Path, damage: bytes) -> None:
    classifier_for("new", FakeEmbedder(), tmp_path)
    (kept,) = tmp_path.iterdir()
    kept.write_bytes(damage)
    classifier_for("new", FakeEmbedder(), tmp_path)
    assert len(fits) == 2


def test_what_cannot_be_kept_is_fitted_each_time(fits: list[str], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    for _ in range(2):
        classifier_for("new", FakeEmbedder(), tmp_path / "file")
    assert len(fits) == 2


def test_it_is_fitted_before_anybody_asks(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> None:
    done, threads = threading.Event(), list[str]()

    def fit(model: str, embedder: Embedder) -> QuestionClassifier:
        threads.append(threading.current_thread().name)
        done.set()
        return fitted_once(model, embedder)

    monkeypatch.setattr("tests.harness.fitted_once", fit)
    with open_fake_knowledge_base(settings) as knowledge_base:
        knowledge_base.fit_ahead()
        assert done.wait(PATIENCE_SECONDS)
        knowledge_base.ask("How many files are there?")
    assert threads == ["fit-ahead"]

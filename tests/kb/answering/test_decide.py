"""Decisions about questions, from their embedding alone."""

from collections import Counter
from typing import get_args

import numpy as np
import pytest

from kb.adapters.embedding.backends import open_embedder
from kb.answering.decide import (
    CHOICES,
    Classifiers,
    Decision,
    LabelledQuestion,
    QuestionClassifier,
    classifier_for,
    fit_to_questions,
    labelled,
    read_questions,
)
from kb.answering.form import Form
from kb.judging.weights import Weights
from kb.models.store import ModelStore
from kb.ports import Embedder
from kb.settings import Settings
from kb.values.answers import QuestionKind
from tests.fakes import FakeEmbedder
from tests.harness import fitted_once

LANGUAGES = {"en", "zh", "ja", "de", "es", "fr"}


@pytest.fixture
def embedder(settings: Settings) -> Embedder:
    store = ModelStore(settings.models)
    folder = store.pull("multilingual-e5-small", lambda progress: None)
    return open_embedder(folder, store.identity(folder), lambda progress: None, "auto")


@pytest.fixture(scope="module")
def fake_classifier() -> QuestionClassifier:
    return classifier_for("fake", FakeEmbedder())


def test_labelled_questions_are_many_in_all_languages_and_of_all_choices() -> None:
    questions = read_questions()
    assert len({(each.question, each.before) for each in questions}) == len(questions)
    assert {each.split for each in questions} == {"fit", "held", "unseen", "fresh"}
    for split in ("fit", "held", "unseen"):
        chosen = [each for each in questions if each.split == split]
        assert {each.language for each in chosen} == LANGUAGES
        assert {each.decision.kind for each in chosen} == set(get_args(QuestionKind))
        assert {each.decision.form for each in chosen} == set(get_args(Form))
    counts = Counter(each.language for each in questions if each.split != "unseen")
    assert min(counts["en"], counts["zh"]) >= 150
    assert min(counts.values()) >= 20


def test_only_questions_with_others_before_them_lean() -> None:
    assert all(each.before for each in read_questions() if each.decision.leans)
    assert all(each.decision.leans for each in read_questions() if each.decision.refers)


def test_any_embedding_model_is_fitted(fake_classifier: QuestionClassifier) -> None:
    embedder = FakeEmbedder()
    fitted = [each for each in read_questions() if each.split == "fit"]
    right = [fake_classifier.decide(embedder.embed_query(each.question)).kind == each.decision.kind for each in fitted]
    assert np.mean(right) > 0.75


def test_weights_of_the_other_tests_are_up_to_date(fake_classifier: QuestionClassifier) -> None:
    """If not: write them anew, as `factors` and `constant` of what `fit_to_questions(FakeEmbedder())` gives."""
    embedder = FakeEmbedder()
    stored = fitted_once("fake", embedder)
    vectors = [embedder.embed_query(each.question) for each in read_questions() if each.split == "held"]
    assert np.mean([stored.decide(vector) == fake_classifier.decide(vector) for vector in vectors]) > 0.95


@pytest.mark.parametrize(
    ("odds", "decision"),
    [
        ({}, Decision()),
        ({"document": 0.4, "list": 0.4, "leans": -0.4, "several": 0.4}, Decision()),
        ({"document": 0.6, "list": 0.6, "leans": 0.1, "several": 0.6}, Decision(True, False, True, "document", "list")),
        ({"inventory": 1.1, "parts": 0.9}, Decision(kind="inventory")),
        ({"lookup": 3.0, "parts": 2.0, "sentence": 3.0, "table": 2.0}, Decision()),
    ],
)
def test_in_doubt_it_is_a_lookup_in_one_sentence(odds: dict[str, float], decision: Decision) -> None:
    classifier = QuestionClassifier([Weights((0.0,), odds.get(choice, -1.0)) for choice in CHOICES])
    assert classifier.decide(np.ones(1, dtype=np.float32)) == decision


def test_model_is_fitted_once_and_another_one_anew(fake_classifier: QuestionClassifier) -> None:
    asked: list[str] = []

    def note(model: str, _: Embedder) -> QuestionClassifier:
        asked.append(model)
        return fake_classifier

    classifiers, one, other = Classifiers(note), FakeEmbedder(), FakeEmbedder("other")
    for embedder in (one, one, other, other, one):
        classifiers.of(embedder.identity, embedder)
    assert asked == ["fake", "other", "fake"]


def test_line_of_a_file_needs_a_question_and_labels_that_there_are() -> None:
    assert labelled({"question": "Why?", "before": ["Is it closed?"], "leans": True}) == LabelledQuestion(
        "Why?", "", "", Decision(leans=True), ("Is it closed?",)
    )
    with pytest.raises(KeyError):
        labelled({})
    with pytest.raises(ValueError, match="'riddle' is none of lookup, parts"):
        labelled({"question": "Why?", "kind": "riddle"})
    with pytest.raises(ValueError, match="before"):
        labelled({"question": "Why?", "before": "Is it closed?"})


@pytest.mark.models
def test_decisions_hold_for_questions_that_were_not_fitted(embedder: Embedder) -> None:
    classifier = classifier_for("multilingual-e5-small", embedder)
    held = [each for each in read_questions() if each.split == "held"]
    decided = [classifier.decide(embedder.embed_query(each.question)) for each in held]
    pairs = [(each.decision, decision) for each, decision in zip(held, decided, strict=True)]
    assert np.mean([wanted.kind == got.kind for wanted, got in pairs]) >= 0.75
    assert np.mean([wanted.form == got.form for wanted, got in pairs]) >= 0.8
    assert np.mean([got.leans for wanted, got in pairs if wanted.leans]) >= 0.85
    assert np.mean([got.leans for wanted, got in pairs if not wanted.leans]) <= 0.05


@pytest.mark.models
@pytest.mark.timeout(120)
def test_weights_that_ship_are_those_of_the_questions(embedder: Embedder) -> None:
    fitted, shipped = QuestionClassifier(fit_to_questions(embedder)), classifier_for("multilingual-e5-small", embedder)
    vectors = [embedder.embed_query(each.question) for each in read_questions() if each.split == "held"]
    same = [fitted.decide(vector) == shipped.decide(vector) for vector in vectors]
    assert np.mean(same) >= 0.97

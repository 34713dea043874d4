"""Decisions about questions, from their embedding alone."""

import math
from collections import Counter
from typing import get_args

import numpy as np
import pytest

from kb.adapters.embedding.backends import open_embedder
from kb.answering.understanding.decide import (
    LEAST_LIKELIHOOD_OF_DOUBT,
    LEAST_LIKELIHOOD_OF_PARTS,
    Classifiers,
    Decision,
    QuestionClassifier,
    QuestionWeights,
    sense_of,
)
from kb.answering.understanding.features import PLACES, features_of
from kb.answering.understanding.form import Form
from kb.answering.understanding.labelled_questions import LabelledQuestion, labelled, read_questions
from kb.answering.understanding.question_weights import classifier_for, fit_to_questions, from_json, to_json
from kb.judging.weights import Weights
from kb.models.store import ModelStore
from kb.ports import Embedder, Vectors
from kb.settings import Settings
from kb.values.answers import QuestionKind
from tests.fakes import FakeEmbedder
from tests.harness import fitted_once

LANGUAGES = {"en", "zh", "ja", "de", "es", "fr"}
KEPT_APART = {"held", "unseen", "fresh", "computed", "stated", "listed"}


@pytest.fixture
def embedder(settings: Settings) -> Embedder:
    store = ModelStore(settings.models)
    folder = store.pull("multilingual-e5-small", lambda progress: None)
    return open_embedder(folder, store.identity(folder), lambda progress: None, "auto")


@pytest.fixture(scope="module")
def fake_classifier() -> QuestionClassifier:
    return classifier_for("fake", FakeEmbedder())


def seen(embedder: Embedder, asked: LabelledQuestion) -> Vectors:
    return features_of(asked.question, embedder.embed_query(asked.question))


def test_labelled_questions_are_many_in_all_languages_and_of_all_choices() -> None:
    questions = read_questions()
    assert len({(each.question, each.before) for each in questions}) == len(questions)
    assert {each.split for each in questions} == {"fit", *KEPT_APART}
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


def test_what_refers_to_what_was_said_leans_on_it() -> None:
    assert classifier_of(leans=-9.0, refers=1.0, senses={Decision(): 1.0}).decide(ONE).leans


def test_any_embedding_model_is_fitted(fake_classifier: QuestionClassifier) -> None:
    embedder = FakeEmbedder()
    fitted = [each for each in read_questions() if each.split == "fit"]
    right = [fake_classifier.decide(seen(embedder, each)).kind == each.decision.kind for each in fitted]
    assert np.mean(right) > 0.75


def test_weights_of_the_other_tests_are_up_to_date(fake_classifier: QuestionClassifier) -> None:
    """If not: write them anew, as `to_json("fake", fit_to_questions(FakeEmbedder()))`."""
    embedder = FakeEmbedder()
    stored = fitted_once("fake", embedder)
    vectors = [seen(embedder, each) for each in read_questions() if each.split == "held"]
    assert np.mean([stored.decide(vector) == fake_classifier.decide(vector) for vector in vectors]) > 0.95


def always(constant: float) -> Weights:
    return Weights((0.0,), constant)


def classifier_of(leans: float, refers: float, senses: dict[Decision, float]) -> QuestionClassifier:
    weights = tuple((sense, always(constant)) for sense, constant in senses.items())
    return QuestionClassifier(QuestionWeights(always(leans), always(refers), weights))


ONE = np.ones(1, dtype=np.float32)
SUM, MEAN = (Decision(kind="parts", form="calculation", operation=each) for each in ("sum", "average"))
BOTH = Decision(kind="parts", several=True)


def test_of_all_that_a_question_can_be_what_most_speaks_for_is_said() -> None:
    classifier = classifier_of(0.0, -1.0, {Decision(): -0.5, SUM: 0.6, MEAN: 0.5, BOTH: -2.0})
    assert classifier.decide(ONE) == Decision(leans=True, kind="parts", form="calculation", operation="sum")


def test_several_things_are_asked_where_that_is_likely_enough() -> None:
    assert classifier_of(-1.0, -1.0, {Decision(): 0.0, BOTH: 0.0}).decide(ONE).several
    assert not classifier_of(-1.0, -1.0, {Decision(): 1.0, BOTH: 0.0}).decide(ONE).several


def odds_of(likelihood: float) -> float:
    return math.log(likelihood / (1.0 - likelihood))


def test_in_doubt_it_is_a_lookup_in_one_sentence() -> None:
    parts, doubt = odds_of(LEAST_LIKELIHOOD_OF_PARTS), odds_of(LEAST_LIKELIHOOD_OF_DOUBT)
    surely = classifier_of(-1.0, -1.0, {SUM: parts + 0.1, Decision(): 0.0})
    perhaps = classifier_of(-1.0, -1.0, {SUM: parts - 0.1, Decision(): 0.0})
    hardly = classifier_of(-1.0, -1.0, {SUM: doubt - 0.1, Decision(): 0.0})
    assert surely.decide(ONE) == SUM
    assert perhaps.decide(ONE) == Decision(may_be_parts=True)
    assert hardly.decide(ONE) == Decision()


def test_another_form_than_a_sentence_must_be_likely_among_those_of_the_kind() -> None:
    table, listed = Decision(form="table"), Decision(form="list")
    assert classifier_of(-1.0, -1.0, {Decision(): 0.0, table: 0.1, listed: 0.0}).decide(ONE).form == "sentence"
    assert classifier_of(-1.0, -1.0, {Decision(): 0.0, table: 2.0, listed: 0.0}).decide(ONE).form == "table"


def test_what_is_computed_follows_from_the_kind_that_is_known() -> None:
    classifier = classifier_of(-1.0, -1.0, {Decision(): 5.0, SUM: 1.0, MEAN: 0.0})
    assert classifier.decide(ONE) == Decision()
    assert classifier.decide(ONE, "parts") == SUM


def test_words_of_a_question_stand_behind_its_embedding() -> None:
    vector = np.ones(3, dtype=np.float32)
    one, other = features_of("What do both cost together?", vector), features_of("What do both cost?", vector)
    assert one.shape == (3 + PLACES,)
    assert one[:3].tolist() == other[:3].tolist() == vector.tolist()
    assert (one[3:] != other[3:]).any()
    assert features_of("both cost together: what do?", vector).tolist() == one.tolist(), (
        "their order is the embedding's"
    )
    assert not features_of("?", vector)[3:].any()


def test_weights_are_read_as_they_were_written() -> None:
    weights = QuestionWeights(always(0.5), always(-1.0), ((SUM, always(0.25)), (BOTH, always(2.0))))
    assert from_json(to_json("e5", weights)) == ("e5", weights)
    assert sense_of(Decision(leans=True, refers=True, kind="document")) == Decision(kind="document")


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
    decided = [classifier.decide(seen(embedder, each)) for each in held]
    pairs = [(each.decision, decision) for each, decision in zip(held, decided, strict=True)]
    assert np.mean([wanted.kind == got.kind for wanted, got in pairs]) >= 0.75
    assert np.mean([wanted.form == got.form for wanted, got in pairs]) >= 0.8
    assert np.mean([got.leans for wanted, got in pairs if wanted.leans]) >= 0.85
    assert np.mean([got.leans for wanted, got in pairs if not wanted.leans]) <= 0.05


@pytest.mark.models
@pytest.mark.timeout(900)
def test_weights_that_ship_are_those_of_the_questions(embedder: Embedder) -> None:
    fitted, shipped = QuestionClassifier(fit_to_questions(embedder)), classifier_for("multilingual-e5-small", embedder)
    vectors = [seen(embedder, each) for each in read_questions() if each.split == "held"]
    same = [fitted.decide(vector) == shipped.decide(vector) for vector in vectors]
    assert np.mean(same) >= 0.97

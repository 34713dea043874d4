"""Fits a model's calibration: has it look at labelled questions and statements, and weighs what it shows."""

import random
from collections.abc import Iterable
from contextlib import closing

import numpy as np

from kb.answering.prompts.prompt import build_prompt
from kb.answering.prompts.tokens import token_counter
from kb.errors import ModelError
from kb.judging.calibration import Calibration, fit_looks, views_of
from kb.judging.labelled import LabelledLook, shipped_looks
from kb.judging.one_word import looker_of
from kb.judging.support import look_at
from kb.ports import LanguageModel
from kb.values.chat import GenerationOptions, Look, Looked
from kb.values.passages import Passage, PassagePart

ENOUGH_LOOKS = 300
"""Of each kind. With twice as many, right answers of XQuAD were told from wrong ones no better (AUC .96 and .97 in
English, .90 and .90 in Chinese)."""

_BUDGET_TOKENS = 1000


def calibrate(model: LanguageModel, labelled: Iterable[LabelledLook]) -> Calibration:
    """Fits the weights of each kind of look.

    Args:
        labelled: What to look at, taken one by one as the work goes on; of each kind both labels, or it is left out.

    Raises:
        ModelError: The model failed.
    """
    seen = [(each, views_of(look(model, each))) for each in labelled]
    looks = {}
    for kind in sorted({each.kind for each, _ in seen}):
        own = [(each, view) for each, view in seen if each.kind == kind]
        labels = [each.label for each, _ in own]
        if len(set(labels)) > 1:
            groups = ["".join(each.passages) for each, _ in own]
            looks[kind] = fit_looks(np.concatenate([view for _, view in own]), labels, groups)
    return Calibration(model.info.identity, looks)


def labelled_for_fitting(each_kind: int = ENOUGH_LOOKS) -> list[LabelledLook]:
    """Some that ship and are not kept apart, so many of each kind, the same each time."""
    fitted = [each for each in shipped_looks() if not each.is_held]
    kinds = [[each for each in fitted if each.kind == kind] for kind in ("answer", "evidence", "sentence")]
    chosen = random.Random(0)
    return [look for looks in kinds for look in chosen.sample(looks, min(each_kind, len(looks)))]


def look(model: LanguageModel, labelled: LabelledLook) -> Looked:
    """What a model shows of one of them.

    Raises:
        ModelError: The model failed, or had no time.
    """
    with closing(looker_of(model).stream_after_looks([_asked(model, labelled)], (), GenerationOptions())) as stream:
        looked = next((item for item in stream if isinstance(item, Looked)), None)
    if looked is None:
        raise ModelError("the model took too long to look", "try again when it has less to do")
    return looked


def _asked(model: LanguageModel, labelled: LabelledLook) -> Look:
    if labelled.kind != "evidence":
        return look_at(labelled.passages, labelled.statement, labelled.question)
    passages = [_passage(number, text) for number, text in enumerate(labelled.passages, start=1)]
    count_tokens = token_counter(model).count_tokens
    return build_prompt(labelled.question, passages, (), count_tokens, _BUDGET_TOKENS).looks([labelled.question])[0]


def _passage(number: int, text: str) -> Passage:
    part = PassagePart(0, len(text), None, ())
    return Passage(number, str(number), "", "", text, 0, len(text), (part,), 1.0)

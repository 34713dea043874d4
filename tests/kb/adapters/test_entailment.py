"""The judge of entailment, with a real cross-encoder."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.adapters.cross_encoder import EntailmentJudge
from kb.errors import ModelError, ModelLoadError
from kb.values.chat import Heartbeat
from tests.tiny_cross_encoder import write_tiny_cross_encoder

pytestmark = pytest.mark.timeout(120)  # the first to import the libraries

TEXTS = ["the dome opens", "bread is baked", "nine"]


def labelled(folder: Path, *labels: str) -> Path:
    """A tiny classifier with these labels."""
    write_tiny_cross_encoder(folder, scores=len(labels))
    config = json.loads((folder / "config.json").read_text("utf-8"))
    config["id2label"] = {str(place): label for place, label in enumerate(labels)}
    config["label2id"] = {label: place for place, label in enumerate(labels)}
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    return folder


def judged(judge: EntailmentJudge, passages: Sequence[str], statement: str, question: str = "") -> float | None:
    work = judge.judge(passages, statement, question)
    while True:
        try:
            assert isinstance(next(work), Heartbeat)
        except StopIteration as end:
            found: float | None = end.value
            return found


def test_probability_is_that_of_the_label_wherever_it_stands(tmp_path: Path) -> None:
    first = EntailmentJudge(labelled(tmp_path / "1", "ENTAILMENT", "neutral", "contradiction"), "tiny")
    others = [
        EntailmentJudge(labelled(tmp_path / "2", "no", "entailment", "neutral"), "tiny"),
        EntailmentJudge(labelled(tmp_path / "3", "no", "neutral", "entailment"), "tiny"),
    ]
    shares = [judged(judge, TEXTS[:1], "the dome is baked") for judge in (first, *others)]
    assert all(share is not None for share in shares)
    assert sum(share or 0.0 for share in shares) == pytest.approx(1.0, abs=1e-4)


def test_likeliest_passage_counts_however_many_there_are(tmp_path: Path) -> None:
    judge = EntailmentJudge(labelled(tmp_path, "entailment", "neutral"), "tiny")
    alone = [judged(judge, [text], "nine") or 0.0 for text in TEXTS]
    assert judged(judge, [*TEXTS[1:] * 20, TEXTS[0]], "nine") == pytest.approx(max(alone), abs=1e-4)
    assert judged(judge, [], "nine") == 0.0


def test_word_is_judged_with_its_question(tmp_path: Path) -> None:
    judge = EntailmentJudge(labelled(tmp_path, "entailment", "neutral"), "tiny")
    assert judged(judge, TEXTS, "nine", "the dome opens") != judged(judge, TEXTS, "nine")


def test_model_without_the_label_is_of_another_kind(tmp_path: Path) -> None:
    for number, labels in enumerate((["LABEL_0"], ["positive", "negative"])):
        with pytest.raises(ModelLoadError, match="no label for entailment") as raised:
            EntailmentJudge(labelled(tmp_path / str(number), *labels), "tiny")
        assert "KB_JUDGE" in raised.value.hint


def test_closed_judge_says_so(tmp_path: Path) -> None:
    judge = EntailmentJudge(labelled(tmp_path, "entailment", "neutral"), "tiny")
    judge.close()
    with pytest.raises(ModelError, match="closed"):
        judged(judge, TEXTS, "nine")

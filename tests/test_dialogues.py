"""Two-turn dialogues about the sample documents: a follow-up question finds the passage that answers it.

They were written for the rules that came before `kb.answering.understanding.decide`, and are none of its labelled
questions.
"""

import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from kb.knowledge_base import KnowledgeBase
from kb.values.answers import AskOptions, PassagesFound
from kb.values.chat import Turn

DIALOGUES = json.loads((Path(__file__).parent / "dialogues.json").read_text("utf-8"))
FIRST = 3

pytestmark = [pytest.mark.models, pytest.mark.timeout(600)]


@pytest.mark.parametrize("split", ["written_first", "held_out"])
def test_follow_up_finds_its_passage_among_the_first_three(sample_knowledge_base: KnowledgeBase, split: str) -> None:
    dialogues = DIALOGUES[split]
    missed = [dialogue["question"] for dialogue in dialogues if not _found(sample_knowledge_base, dialogue)]
    assert len(dialogues) == 20
    assert len(missed) <= 2, missed


def _found(knowledge_base: KnowledgeBase, dialogue: dict[str, Any]) -> bool:
    with closing(
        knowledge_base.ask_stream(dialogue["question"], [Turn(**dialogue["before"])], options=AskOptions(top_k=FIRST))
    ) as events:
        found = next(events)
    assert isinstance(found, PassagesFound)
    return any(
        passage.source == dialogue["source"] and _squeezed(dialogue["evidence"]) in _squeezed(passage.text)
        for passage in found.passages
    )


def _squeezed(text: str) -> str:
    return "".join(text.split())

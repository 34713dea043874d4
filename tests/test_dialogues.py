"""Two-turn dialogues about the sample documents: a follow-up question finds the passage that answers it.

`written_first` in `dialogues.json` was there before the rules of `kb.answering.followup`. `held_out` was written after
them; they found 19 of its 20 passages when they first saw it, and were mended after that.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from kb.answering.followup import self_contained
from kb.knowledge_base import KnowledgeBase
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
    query = self_contained(dialogue["question"], [Turn(**dialogue["before"])])
    return any(
        passage.source == dialogue["source"] and _squeezed(dialogue["evidence"]) in _squeezed(passage.text)
        for passage in knowledge_base.search(query, top_k=FIRST)
    )


def _squeezed(text: str) -> str:
    return "".join(text.split())

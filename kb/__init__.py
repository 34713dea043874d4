"""Knowledge: documents in, cited answers out. Knows nothing about watched folders, HTTP or terminals.

    import kb

    with kb.open_knowledge_base() as knowledge_base:
        answer = knowledge_base.ask("What did we decide about the second dome?")
        print(answer.answer, [citation.quote for citation in answer.citations])

What a user imports stands here; nothing of it is loaded before it is used. `kb.settings.load` reads the settings.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kb.errors import KBError
    from kb.knowledge_base import KnowledgeBase
    from kb.values.answers import Answer, AskOptions, Citation
    from kb.values.chat import Turn
    from kb.values.filters import Filters
    from kb.values.passages import Passage
    from kb.wiring import open_knowledge_base

__all__ = [
    "Answer",
    "AskOptions",
    "Citation",
    "Filters",
    "KBError",
    "KnowledgeBase",
    "Passage",
    "Turn",
    "open_knowledge_base",
]

_HOMES = {
    "Answer": "kb.values.answers",
    "AskOptions": "kb.values.answers",
    "Citation": "kb.values.answers",
    "Filters": "kb.values.filters",
    "KBError": "kb.errors",
    "KnowledgeBase": "kb.knowledge_base",
    "Passage": "kb.values.passages",
    "Turn": "kb.values.chat",
    "open_knowledge_base": "kb.wiring",
}

# No library that we use reports to its makers; ONNX Runtime reads this when it is loaded, which only our modules do.
os.environ.update(
    ORT_DISABLE_TELEMETRY="1", ANONYMIZED_TELEMETRY="False", HF_HUB_DISABLE_TELEMETRY="1", DO_NOT_TRACK="1"
)


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'kb' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)

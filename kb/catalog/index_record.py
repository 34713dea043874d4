"""Which vector index answers, and in which space its vectors lie.

Pure values. The record is one fact in the catalog: writing it is what puts an index in the place of another.
"""

import json
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Space:
    """Vectors that may be compared with each other.

    Attributes:
        identity: Of the embedding model; see `kb.ports.Embedder.identity`.
        revision: How often the user has had all embeddings computed anew.
        model: The setting under which the model was found.
        folder: Where it was loaded from.
    """

    identity: str
    revision: int = 0
    model: str = ""
    folder: str = ""

    @property
    def key(self) -> str:
        """The name under which its embeddings are stored."""
        return f"{self.identity}#{self.revision}" if self.revision else self.identity


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """The index that answers.

    Attributes:
        generation: Name of its store.
        forgotten: How many documents the user had wanted gone when it was begun: of those it holds no byte.
        renewals: How many renewals the user had asked for when it was begun.
    """

    generation: str
    space: Space
    forgotten: int = 0
    renewals: int = 0

    def to_json(self) -> str:
        """Writes it as the catalog keeps it."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @staticmethod
    def from_json(text: str) -> "IndexRecord":
        """Reads what `to_json` wrote."""
        values = json.loads(text)
        return IndexRecord(**{**values, "space": Space(**values["space"])})

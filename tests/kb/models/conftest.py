import pytest

import kb.models.download


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kb.models.download, "PAUSE_SECONDS", 0.01)

import json
import logging
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fpdf import FPDF

from kb.knowledge_base import KnowledgeBase
from kb.settings import Settings
from server.cli.main import main
from tests.fakes import FakeEmbedder, FakeLanguageModel
from tests.harness import open_fake_knowledge_base
from tests.server.cli.eval.sets import ENGLISH, Run, write_squad


@pytest.fixture
def squad(tmp_path: Path) -> Path:
    return write_squad(tmp_path / "tiny.json", ENGLISH)


@pytest.fixture
def answers() -> list[str]:
    """What the fake model answers; a test may change it."""
    return ["It was repaired in March."]


@pytest.fixture
def embedder(monkeypatch: pytest.MonkeyPatch, answers: list[str]) -> FakeEmbedder:
    """Embeds and answers in the place of real models, in all knowledge bases that commands open."""
    embedder = FakeEmbedder()

    def opened(settings: Settings) -> KnowledgeBase:
        return open_fake_knowledge_base(settings, embedder=embedder, model=FakeLanguageModel(answers[0]))

    for module in ("corpus", "folder_run"):
        monkeypatch.setattr(f"server.measure.eval.{module}.open_knowledge_base", opened)
    return embedder


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What serves as the system's temporary folder."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    return folder


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], temporary: Path) -> Iterator[Run]:
    """Runs `kb eval` as its script does; gives standard output, as JSON if that was asked for."""
    monkeypatch.setenv("KB_MIN_EVIDENCE", "0")
    monkeypatch.setenv("COLUMNS", "200")
    root = logging.getLogger()
    handlers = root.handlers[:]

    def run(*arguments: str | Path, code: int = 0) -> Any:
        monkeypatch.setattr(sys, "argv", ["kb", "eval", *map(str, arguments)])
        capfd.readouterr()
        ended = 0
        try:
            main()
        except SystemExit as error:
            ended = error.code if isinstance(error.code, int) else 1
        out, err = capfd.readouterr()
        assert ended == code, err
        assert "Traceback" not in err
        assert not list(temporary.iterdir())
        if code:
            assert "→" in err
            return " ".join(err.split())
        return json.loads(out) if "--json" in arguments else out

    yield run
    root.handlers[:] = handlers


@pytest.fixture
def reports(tmp_path: Path) -> Path:
    folder = tmp_path / "reports"
    folder.mkdir()
    for name, pages in {
        "2023 Q1 Kestrel": [
            "The station sold 1200 tickets in the winter of 2023.",
            "Snow fell on 73 days, at most 48 cm.",
        ],
        "2023 Q2 Kestrel": ["The station sold 3400 tickets in the spring.", "Otters came on 17 days."],
        "2023 Q1 Heron": ["The telescope saw 91 stars."],
    }.items():
        pdf = FPDF()
        pdf.set_font("helvetica", size=12)
        for page in pages:
            pdf.add_page()
            pdf.multi_cell(0, 8, page)
        pdf.output(str(folder / f"{name}.pdf"))
    return folder

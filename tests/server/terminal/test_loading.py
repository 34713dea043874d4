import pytest

from kb.values.progress import Progress
from server.terminal.loading import progress_bar


def test_without_a_terminal_progress_is_a_line_at_each_tenth(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bar() as report:
        for done in range(0, 1_000_001, 1000):
            report(Progress("model", done, 1_000_000))
        report(Progress("preparing model", 0, None))
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 12
    assert lines[-1] == "preparing model …"
    assert lines[5] == "model: 500.0 kB of 1.0 MB"


def test_on_a_terminal_progress_is_a_bar(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with progress_bar() as report:
        report(Progress("model", 500_000, 1_000_000))
        report(Progress("checking model", 0, None))
    shown = capsys.readouterr().err
    assert "━" in shown
    assert "checking model" in shown

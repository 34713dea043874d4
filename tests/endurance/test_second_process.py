import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from kb.settings import Settings
from tests.harness import open_fake_knowledge_base, serving

LOCKED = 5


def run_kb(arguments: Sequence[str], home: Path) -> tuple[float, subprocess.CompletedProcess[str]]:
    """Runs `kb`.

    Returns:
        How long a processor worked on it, whatever else keeps the machine busy.
    """
    environment = {**os.environ, "KB_HOME": str(home), "KB_MODELS": str(home / "no models")}
    before = os.times()
    ended = subprocess.run(
        [sys.executable, "-m", "server", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    used = os.times()
    return used.children_user + used.children_system - before.children_user - before.children_system, ended


def patience_seconds() -> float:
    """Hardly more than the modules take on this machine."""
    before = os.times()
    subprocess.run([sys.executable, "-c", "import kb.wiring, ingest.pipeline.pipeline, server.cli.main"], check=True)
    used = os.times()
    return 1 + 2 * (used.children_user + used.children_system - before.children_user - before.children_system)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "sync"])
def test_second_process_is_told_so_at_once(settings: Settings, folder: Path, command: str) -> None:
    arguments = ["serve", str(folder), "--port", "0"] if command == "serve" else ["sync"]
    with open_fake_knowledge_base(settings):
        seconds, ended = run_kb(arguments, settings.home)
    assert (ended.returncode, ended.stdout) == (LOCKED, "")
    assert "another process has the data directory" in " ".join(ended.stderr.split())
    assert "Traceback" not in ended.stderr
    assert seconds < patience_seconds()


@pytest.mark.slow
def test_second_server_is_told_who_the_first_one_is(settings: Settings, folder: Path) -> None:
    with serving(settings, folder) as first:
        _, ended = run_kb(["serve", str(folder), "--port", "0"], settings.home)
        assert ended.returncode == LOCKED
        assert first.url in "".join(ended.stderr.split())
        first.write("dome.md", "# Dome\n\nThe first one goes on.\n")
        first.sync()
        assert first.sources == ["dome.md"]

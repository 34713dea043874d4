"""A service over fakes, and the programs of others that are on the PATH; what is not there is skipped."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.fakes import FakeLanguageModel
from tests.harness import Served, quick_settings, serving

ANSWER = "The second dome was repaired in March."
QUESTION = "When was the second dome repaired?"

Run = Callable[..., str]


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Served]:
    """With one document, and a model that thinks."""
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "dome.md").write_text(f"# Dome\n\n{ANSWER}\n")
    model = FakeLanguageModel(ANSWER, "Look for the dome.")
    with serving(quick_settings(tmp_path / "home"), folder, model=model) as service:
        service.sync()
        yield service


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs a program with a home of its own; gives what it prints."""

    def running(*command: str, **environment: str) -> str:
        home = tmp_path / "client"
        home.mkdir(exist_ok=True)
        own = {"HOME": str(home), "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}
        done = subprocess.run(
            command, env={**os.environ, **own, **environment}, cwd=home, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return running


def program(name: str) -> str:
    """Where a program is."""
    found = shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on the PATH")
    return found

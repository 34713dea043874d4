"""What the README promises can be done, and all that can be set stands in it."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from server.cli.main import app
from server.settings import ServerSettings

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
README_ZH = (ROOT / "README.zh.md").read_text("utf-8")


@pytest.mark.parametrize("name", ServerSettings.model_fields)
def test_each_setting_is_in_the_readme_with_its_default_and_meaning(name: str) -> None:
    description = ServerSettings.model_fields[name].description
    assert description and f"`KB_{name.upper()}`" in README
    assert description.replace("|", "\\|") in README


@pytest.mark.parametrize("text", [README, README_ZH], ids=["English", "Chinese"])
def test_each_command_in_the_readme_exists(text: str) -> None:
    named = {words.split()[0] for words in re.findall(r"`kb ([a-z][^`]*)`", text)}
    assert named
    for name in named:
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0, name


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^\$ make (\w+)", README + README_ZH, re.MULTILINE))))
def test_each_make_target_in_the_readme_exists(target: str) -> None:
    assert subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_links_to_files_lead_somewhere() -> None:
    for text in (README, README_ZH):
        for link in re.findall(r"\]\((?!http)([^)#]+)", text):
            assert (ROOT / link).exists(), link


@pytest.mark.models
@pytest.mark.timeout(300)
def test_the_python_example_prints_an_answer_with_its_source(tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", README, re.DOTALL)
    assert example
    folder = tmp_path / "notes"
    folder.mkdir()
    shutil.copy(ROOT / "sample_docs" / "visitor-faq.md", folder)
    environment = os.environ | {"KB_HOME": str(tmp_path / "home"), "KB_FOLDERS": str(folder)}
    subprocess.run([sys.executable, "-m", "server", "sync"], env=environment, check=True, cwd=ROOT, timeout=200)
    printed = subprocess.run(
        [sys.executable, "-c", example[1]], env=environment, capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    assert "visitor-faq.md" in printed

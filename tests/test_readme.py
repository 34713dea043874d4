"""What the README and its pages promise can be done, and all that can be set stands in them."""

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
PAGES = {path: path.read_text("utf-8") for path in sorted([*ROOT.glob("README*.md"), *(ROOT / "docs").glob("*.md")])}
SETTINGS = PAGES[ROOT / "docs" / "settings.md"]


@pytest.mark.parametrize("name", ServerSettings.model_fields)
def test_each_setting_is_listed_with_its_default_and_meaning(name: str) -> None:
    description = ServerSettings.model_fields[name].description
    assert description and f"`KB_{name.upper()}`" in SETTINGS
    assert description.replace("|", "\\|") in SETTINGS


def test_each_command_that_is_named_exists() -> None:
    named = {words.split()[0] for text in PAGES.values() for words in re.findall(r"`kb ([a-z][^`]*)`", text)}
    assert {"ask", "export"} < named
    for name in named:
        assert CliRunner().invoke(app, [name, "--help"]).exit_code == 0, name


@pytest.mark.parametrize("target", sorted(set(re.findall(r"^\$ make (\w+)", "\n".join(PAGES.values()), re.MULTILINE))))
def test_each_make_target_that_is_named_exists(target: str) -> None:
    assert subprocess.run(["make", "--dry-run", target], cwd=ROOT, capture_output=True, check=False).returncode == 0


def test_links_to_files_lead_somewhere() -> None:
    for page, text in PAGES.items():
        for link in re.findall(r"\]\((?!http)([^)#\s]+)", text):
            assert (page.parent / link).exists(), (page.name, link)


def test_each_page_has_its_twin_or_says_so() -> None:
    twins = {path.name.replace(".zh.md", ".md") for path in PAGES if path.name.endswith(".zh.md")}
    assert {path.name for path in PAGES if not path.name.endswith(".zh.md")} - twins == {
        "where-things-are.md",
        "reading.md",
    }


@pytest.mark.models
@pytest.mark.timeout(300)
def test_the_python_example_prints_an_answer_with_its_source(tmp_path: Path) -> None:
    example = re.search(r"```python\n(.*?)```", PAGES[ROOT / "docs" / "ask.md"], re.DOTALL)
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

"""The lines in docs/clients.md and its twin do what they promise."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fakes import FakeLanguageModel
from tests.harness import quick_settings, serving

ROOT = Path(__file__).parents[1]
ENGLISH, CHINESE = ((ROOT / "docs" / name).read_text("utf-8") for name in ("clients.md", "clients.zh.md"))
EXAMPLES = re.findall(r"```python\n(.*?)```", ENGLISH + CHINESE, re.DOTALL)


def test_python_examples_print_an_answer_with_its_source(tmp_path: Path) -> None:
    assert len(EXAMPLES) == 2
    (tmp_path / "beds.md").write_text("The guest house has 16 beds.\n")
    model = FakeLanguageModel("The guest house has 16 beds.")
    with serving(quick_settings(tmp_path / ".home"), tmp_path, model=model) as service:
        service.sync()
        for example in EXAMPLES:
            program = example.replace("http://127.0.0.1:8321", service.url)
            printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
            assert printed.startswith("The guest house has 16 beds.")
            assert "beds.md" in printed or "/#document=" in printed


@pytest.mark.parametrize("text", [ENGLISH, CHINESE], ids=["English", "Chinese"])
def test_both_languages_name_the_same(text: str) -> None:
    for name in ("Open WebUI", "Cherry Studio", "Chatbox", "openai-python", "httpx", "Dify", "Claude Code", "llm"):
        assert name in text
    for word in ("KB_TOKEN", "KB_PUBLIC_URL", "KB_FOOTNOTES", "X-KB-Task", "list_documents", "/v1", "/mcp"):
        assert word in text
    for link in re.findall(r"\]\((?!http|#)([^)]+)\)", text):
        assert (ROOT / "docs" / link).exists(), link

"""The page over the real service with real models: what the fakes cannot tell."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.harness import eventually
from tests.server.static.conftest import OpenPage

SAMPLES = Path(__file__).parents[3] / "sample_docs"
ANSWER_MS = 240_000
READY_SECONDS = 300

pytestmark = [
    pytest.mark.browser,
    pytest.mark.models,
    pytest.mark.timeout(600),
    pytest.mark.filterwarnings("default"),
]


@pytest.fixture
def url(watched: Path, tmp_path: Path) -> Iterator[str]:
    """Where `kb serve` listens, once it is ready and has indexed the folder."""
    for name in ("visitor-faq.md", "pika-p3-manual.pdf"):
        shutil.copy(SAMPLES / name, watched / name)
    home = tmp_path / "home"
    command = [sys.executable, "-m", "server", "--home", str(home), "serve", str(watched), "--port", "0"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr
        found = next(match for line in process.stderr if (match := re.search(r"http://\S+", line)))
        try:
            assert eventually(lambda: httpx.get(f"{found[0]}/readyz", trust_env=False).is_success, READY_SECONDS)
            httpx.post(f"{found[0]}/sync", timeout=READY_SECONDS, trust_env=False).raise_for_status()
            yield found[0]
        finally:
            process.terminate()
            process.stderr.read()


def test_a_question_is_answered_and_its_citation_shows_the_quote_in_its_place(url: str, open_page: OpenPage) -> None:
    with open_page(url) as page:
        page.fill("#question", "How many beds does the guest house have?")
        page.press("#question", "Enter")
        page.wait_for_selector('.turn[data-state="done"]', timeout=ANSWER_MS)
        assert "16" in page.inner_text(".turn .answer")
        assert page.locator(".turn .passage").count() >= 1
        page.click('.turn [data-citation="1"]')
        assert "16 beds" in page.inner_text("#viewer mark")
        assert "visitor-faq.md" in page.inner_text("#viewer")
        page.keyboard.press("Escape")
        assert not page.is_visible("#viewer")

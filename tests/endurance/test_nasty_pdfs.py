import re
import shutil
import threading
from pathlib import Path

import pytest

from kb.errors import KBError
from kb.settings import Settings
from tests.endurance.running import SYNC_SECONDS, running
from tests.fakes import FakeEmbedder
from tests.harness import quick_settings, serving

WITH_HAN = ("XiaoBiaoSong.pdf", "issue16538.pdf")
_HAN = re.compile("[\u4e00-\u9fff]")


@pytest.fixture
def nasty_pdfs(shared_data: Path) -> Path:
    """Broken, fuzzed, encrypted and oddly encoded PDFs."""
    return shared_data / "nasty-pdfs"


@pytest.mark.slow
def test_nasty_pdfs_end_as_documents_or_failures_while_questions_are_answered(
    tmp_path: Path, folder: Path, nasty_pdfs: Path
) -> None:
    wrong: list[str] = []
    asked = 0
    is_over = threading.Event()
    with running(quick_settings(tmp_path / "home"), folder) as watched:
        watched.write("dome.md", "# Dome\n\nThe second dome was repaired in March.\n")
        watched.sync()

        def ask() -> None:
            nonlocal asked
            while not is_over.is_set():
                try:
                    found = watched.finds("second dome")
                    answer = watched.knowledge_base.ask("When was the second dome repaired?")
                except (KBError, RuntimeError, KeyError) as error:
                    wrong.append(repr(error))
                    return
                if "dome.md" not in found or not answer.answerable:
                    wrong.append(f"found {found}, answered {answer.answer!r}")
                asked += 1

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            shutil.copytree(nasty_pdfs, folder, dirs_exist_ok=True)
            watched.sync()
        finally:
            is_over.set()
            asking.join()
        assert wrong == []
        assert asked > 5
        files = {path.name for path in nasty_pdfs.iterdir()}
        assert {*watched.sources, *watched.reasons} == files | {"dome.md"}
        assert not set(watched.sources) & set(watched.reasons)
        assert all(failure.reason.strip() for failure in watched.failures.values())
        for name in WITH_HAN:
            text = watched.knowledge_base.text(watched.documents[name].id)
            assert len(_HAN.findall(text)) > 5, name


def test_server_answers_while_it_reads_nasty_pdfs(settings: Settings, folder: Path, nasty_pdfs: Path) -> None:
    with serving(settings, folder, embedder=FakeEmbedder()) as served:
        for path in sorted(nasty_pdfs.iterdir())[:20]:
            shutil.copy(path, folder)
        syncing = threading.Thread(target=served.pipeline.sync, args=(SYNC_SECONDS,))
        syncing.start()
        codes = set()
        while syncing.is_alive():
            codes.add(served.client.get("/status").status_code)
            codes.add(served.client.post("/search", json={"query": "dome"}).status_code)
        syncing.join()
        assert codes == {200}
        assert len(served.sources) + len(served.reasons) == 20

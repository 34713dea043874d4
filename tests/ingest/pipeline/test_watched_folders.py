"""Folders that come, go, or are no longer watched."""

import shutil
from pathlib import Path

from kb.settings import Settings
from tests.harness import eventually, watching
from tests.ingest.pipeline.parts import DOME, OTTER


def test_documents_of_a_folder_that_vanishes_stay_until_it_is_back(settings: Settings, folder: Path) -> None:
    with watching(settings, folder) as watched:
        watched.write("dome.md", DOME)
        watched.sync()
        away = folder.with_name("away")
        folder.rename(away)
        watched.sync()
        assert watched.pipeline.status.folders == ((folder, False),)
        assert watched.finds("dome") == ["dome.md"]
        (away / "otter.md").write_text(OTTER)
        shutil.copytree(away, folder)  # another folder of the same name, as a drive that is mounted again
        watched.sync()
        assert watched.pipeline.status.folders == ((folder, True),)
        assert watched.sources == ["dome.md", "otter.md"]
        watched.write("later.md", "# Later\n\nEvents of the folder that came back.\n")
        assert eventually(lambda: watched.finds("came back") == ["later.md"])


def test_folder_that_is_not_there_at_the_start_is_reported_and_does_no_harm(
    settings: Settings, folder: Path, tmp_path: Path
) -> None:
    with watching(settings, folder, tmp_path / "usb") as watched:
        assert watched.pipeline.status.folders == ((folder, True), (tmp_path / "usb", False))
        watched.write("dome.md", DOME)
        watched.sync()
        assert watched.sources == ["dome.md"]


def test_documents_of_a_folder_that_is_no_longer_watched_go(settings: Settings, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "notes"
    other.mkdir()
    (folder / "dome.md").write_text(DOME)
    (other / "otter.md").write_text(OTTER)
    with watching(settings, folder, other) as watched:
        watched.sync()
        assert len(watched.knowledge_base.documents()) == 2
    with watching(settings, other) as watched:
        watched.sync()
        assert watched.sources == ["otter.md"]


def test_watching_the_parent_instead_embeds_nothing_again(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder) as watched:
        watched.sync()
    with watching(settings, folder.parent, folder) as watched:
        watched.sync()
        assert (watched.sources, watched.embedder.embedded) == (["papers/dome.md"], [])

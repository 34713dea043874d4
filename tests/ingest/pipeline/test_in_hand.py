"""Files over which the whole process ends."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ingest.pipeline.in_hand import NOTE_NAME, InHand
from kb.settings import Settings
from kb.values.documents import FailureKind, FileVersion
from tests.harness import PATIENCE_SECONDS, eventually, watching
from tests.ingest.pipeline.deadly import DeadlyEmbedder
from tests.ingest.pipeline.parts import DOME, OTTER, PacedEmbedder, long_text

DEADLY = "# Deadly\n\nThis text is deadly.\n"
REASON = "the service ended twice while it was indexed"


def dies(home: Path, folder: Path) -> bool:
    """Runs the service in a process of its own until all is indexed, or until it dies."""
    command = [sys.executable, "-m", "tests.ingest.pipeline.deadly", home, folder]
    status = subprocess.run(command, check=False, timeout=4 * PATIENCE_SECONDS).returncode
    assert status in (0, -signal.SIGKILL)
    return status != 0


@pytest.mark.timeout(180)
@pytest.mark.parametrize("text", [DEADLY, DEADLY.replace("deadly.", "deadly to be counted")])
def test_file_over_which_the_process_ends_twice_is_left_alone(settings: Settings, folder: Path, text: str) -> None:
    for name in ("a", "m", "z"):
        (folder / f"{name}.md").write_text(f"{OTTER}\nThis is {name}.\n")
    (folder / "deadly.md").write_text(text)
    assert dies(settings.home, folder)
    assert dies(settings.home, folder)
    assert not dies(settings.home, folder)
    with watching(settings, folder, embedder=DeadlyEmbedder()) as watched:
        watched.sync()
        assert watched.sources == ["a.md", "m.md", "z.md"]
        assert watched.reasons == {"deadly.md": REASON}
        assert watched.failures["deadly.md"].kind is FailureKind.QUARANTINED
    with watching(settings, folder) as watched:
        assert watched.pipeline.sync(PATIENCE_SECONDS, retry=True)
        assert (len(watched.sources), watched.reasons) == (4, {})


@pytest.mark.timeout(90)
def test_file_over_which_the_process_ends_once_is_tried_again(settings: Settings, folder: Path) -> None:
    (folder / "deadly.md").write_text(DEADLY)
    assert dies(settings.home, folder)
    for _ in range(2):
        with watching(settings, folder) as watched:
            watched.sync()
            assert (watched.sources, watched.reasons) == (["deadly.md"], {})


def test_files_in_hand_at_a_normal_end_are_not_suspected(settings: Settings, folder: Path) -> None:
    for number in range(3):
        (folder / f"{number}.md").write_text(long_text(150 * number + 150))
    for _ in range(2):
        paced = PacedEmbedder()
        with watching(settings, folder, embedder=paced) as watched:
            assert eventually(lambda: watched.pipeline.status.current)
            paced.go_on()
            watched.pipeline.stop()
        assert "[]" in (settings.home / NOTE_NAME).read_text()
    with watching(settings, folder) as watched:
        watched.sync()
        assert (len(watched.sources), watched.reasons) == (3, {})


def version_of(path: Path) -> FileVersion:
    found = path.stat()
    return FileVersion(str(path.parent), path.name, found.st_size, found.st_mtime_ns, "hash", found.st_ctime_ns)


def test_what_is_read_or_indexed_is_suspected_and_what_rests_is_not(tmp_path: Path) -> None:
    note = tmp_path / "note.json"
    a, b, c, d = (tmp_path / name for name in "abcd")
    for path in (a, b, c, d):
        path.write_text(DOME)
    in_hand = InHand(note)
    with in_hand.indexing(version_of(a)), in_hand.indexing(version_of(b)), in_hand.reading(version_of(c)):
        with in_hand.reading(version_of(d)):
            pass
        assert [file.source for file in in_hand.files] == ["a", "b"]
        after = InHand(note)
        assert [after.deaths(version_of(path)) for path in (a, b, c, d)] == [0, 1, 1, 0]
        again = InHand(note)
        assert again.deaths(version_of(b)) == 1, "nobody has touched it since"
        after.forgive(version_of(b))
        assert (after.deaths(version_of(b)), after.deaths(version_of(c))) == (0, 1)
        c.write_text(OTTER)
        assert InHand(note).deaths(version_of(c)) == 0, "it is another version"


@pytest.mark.parametrize("content", ["", "{", "[1]", '[[["/", "a"], 1]]', "null"])
def test_note_that_cannot_be_read_tells_nothing(tmp_path: Path, content: str) -> None:
    path = tmp_path / "a.md"
    path.write_text(DOME)
    note = tmp_path / "note.json"
    note.write_text(content)
    in_hand = InHand(note)
    with in_hand.indexing(version_of(path)):
        assert in_hand.deaths(version_of(path)) == 0

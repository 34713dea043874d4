"""The index follows what becomes of files."""

import os
import re
import threading
import time
from pathlib import Path

from kb.settings import Settings
from tests.harness import Watched, eventually, watching
from tests.ingest.pipeline.parts import DOME, OTTER


def test_dropped_file_is_found_without_being_asked_for(watched: Watched) -> None:
    watched.write("sub/dome.md", DOME)
    assert eventually(lambda: watched.finds("second dome") == ["sub/dome.md"])


def test_document_is_found_by_its_aliases_and_its_author(watched: Watched) -> None:
    watched.write("dome.md", f"---\naliases: [Kuppel]\nauthor: Zyta Wren\n---\n\n{DOME}")
    watched.write("roof.md", f'+++\nauthor = "Quill Orme"\n+++\n\n{DOME.replace("dome", "roof")}')
    watched.write("otter.md", OTTER)
    watched.sync()
    for query, source in (("Kuppel", "dome.md"), ("Zyta Wren", "dome.md"), ("by Quill Orme", "roof.md")):
        first, *_ = watched.knowledge_base.search(query)
        assert first.source == f"own/{source}"
        assert first.words > 0
        assert not {"Kuppel", "Zyta", "Quill"} & set(first.text.split())


def test_files_that_were_there_before_are_indexed_at_the_start(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == ["dome.md"]


def test_what_came_last_is_indexed_first(settings: Settings, folder: Path) -> None:
    for number in range(40):
        (folder / f"{number:02}.md").write_text(f"The note of number {number}.")
        os.utime(folder / f"{number:02}.md", ns=(number, number))  # what counts then is when it came into the folder
    with watching(settings.model_copy(update={"settle_seconds": 0.0}), folder) as watched:
        watched.sync()
        order = [int(number) for text in watched.embedder.embedded for number in re.findall(r"of number (\d+)", text)]
        assert sorted(order) == list(range(40))
        assert sum(order[:20]) > sum(order[20:]) + 200, "some are read at the same time"


def test_edit_replaces_what_was_there_and_embeds_only_what_is_new(watched: Watched) -> None:
    watched.write("notes.md", f"{DOME}\n{OTTER}")
    watched.sync()
    before = len(watched.embedder.embedded)
    watched.write("notes.md", f"{DOME.replace('March', 'April')}\n{OTTER}")
    watched.sync()
    assert watched.finds("repaired in April") == ["notes.md"]
    assert watched.finds("repaired in March") == []
    new = watched.embedder.embedded[before:]
    assert len(new) == len(set(new)) > 0
    assert all("April" in text for text in new)


def test_file_that_is_written_slowly_is_read_once_and_whole(settings: Settings, folder: Path) -> None:
    with watching(settings.model_copy(update={"settle_seconds": 0.4}), folder) as watched:
        with (folder / "slow.txt").open("w") as file:
            for number in range(8):
                print(f"Line {number} of the slow file.", file=file, flush=True)
                time.sleep(0.08)
        watched.sync()
        assert watched.sources == ["slow.txt"]
        assert all("Line 7" in text for text in watched.embedder.embedded)


def test_file_from_the_future_is_indexed_once_it_is_still(watched: Watched) -> None:
    tomorrow = time.time() + 86_400
    os.utime(watched.write("dome.md", DOME), (tomorrow, tomorrow))
    watched.sync()
    assert watched.sources == ["dome.md"]


def test_rename_and_move_embed_nothing_and_keep_the_id(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.write("old/otter.md", OTTER)
    watched.sync()
    before = {document.id for document in watched.documents.values()}
    embedded = len(watched.embedder.embedded)
    (watched.folder / "dome.md").rename(watched.folder / "第二座圆顶.md")
    (watched.folder / "old").rename(watched.folder / "new")
    watched.sync()
    assert watched.sources == ["new/otter.md", "第二座圆顶.md"]
    assert {document.id for document in watched.documents.values()} == before
    assert len(watched.embedder.embedded) == embedded
    assert watched.finds("float") == ["new/otter.md"]


def test_rename_over_another_file_leaves_the_one(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.write("otter.md", OTTER)
    watched.sync()
    embedded = len(watched.embedder.embedded)
    (watched.folder / "dome.md").replace(watched.folder / "otter.md")
    watched.sync()
    assert (watched.sources, watched.finds("dome"), watched.finds("float")) == (["otter.md"], ["otter.md"], [])
    assert len(watched.embedder.embedded) == embedded


def test_deleted_file_and_deleted_folder_answer_no_more(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.write("sub/otter.md", OTTER)
    watched.sync()
    (watched.folder / "dome.md").unlink()
    assert eventually(lambda: watched.finds("dome") == [])
    (watched.folder / "sub" / "otter.md").unlink()
    (watched.folder / "sub").rmdir()
    assert eventually(lambda: watched.sources == [])


def test_atomic_saves_are_followed_and_the_document_is_never_gone(watched: Watched) -> None:
    watched.write("dome.md", DOME)
    watched.sync()
    document_id = watched.documents["dome.md"].id
    missing = threading.Event()
    done = threading.Event()

    def look() -> None:
        while not done.is_set():
            if not watched.finds("dome"):
                missing.set()

    reader = threading.Thread(target=look)
    reader.start()
    for number in range(5):
        watched.write(".dome.md.tmp", f"{DOME}\nRevision {number} of the dome.\n").replace(watched.folder / "dome.md")
        time.sleep(0.1)
        # Some editors take the old file away first.
        (watched.folder / "dome.md").rename(watched.folder / "dome.md~")
        watched.write("dome.md", f"{DOME}\nRevision {number} of the dome, saved again.\n")
    watched.sync()
    done.set()
    reader.join()
    assert watched.finds("Revision 4 again") == ["dome.md"]
    assert watched.documents["dome.md"].id == document_id
    assert not missing.is_set()


def test_changes_made_while_it_was_down_are_found(settings: Settings, folder: Path) -> None:
    for name in ("edited.md", "gone.md", "moved.md"):
        (folder / name).write_text(f"# {name}\n\nThe file was {name} then.\n")
    with watching(settings, folder) as watched:
        watched.sync()
    (folder / "edited.md").write_text(DOME)
    (folder / "gone.md").unlink()
    (folder / "moved.md").rename(folder / "elsewhere.md")
    (folder / "new.md").write_text(OTTER)
    with watching(settings, folder) as watched:
        watched.sync()
        assert watched.sources == ["edited.md", "elsewhere.md", "new.md"]
        assert watched.finds("second dome") == ["edited.md"]
        assert not [text for text in watched.embedder.embedded if "moved" in text]


def test_unchanged_files_are_not_read_again_at_the_next_start(settings: Settings, folder: Path) -> None:
    (folder / "dome.md").write_text(DOME)
    with watching(settings, folder) as watched:
        watched.sync()
        (before,) = watched.knowledge_base.documents()
    os.utime(folder / "dome.md")  # a new time alone is noted, and no more
    with watching(settings, folder) as watched:
        watched.sync()
        (after,) = watched.knowledge_base.documents()
        assert after.indexed_at == before.indexed_at
        assert watched.embedder.embedded == []


def test_hints_during_a_scan_are_not_lost(watched: Watched) -> None:
    for number in range(12):
        watched.write(f"{number}.txt", f"File number {number} of several.")
        time.sleep(0.05)
    assert eventually(lambda: len(watched.sources) == 12)

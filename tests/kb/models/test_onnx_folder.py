import os
from pathlib import Path

import pytest

from kb.models.onnx_folder import (
    Conversion,
    fingerprint,
    model_path,
    place_conversion,
    read_conversion,
    remove_conversion,
    temporary_path,
)
from kb.models.sentence_folder import identity


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "1_Pooling").mkdir()
    (tmp_path / "model.safetensors").write_bytes(b"weights")
    (tmp_path / "1_Pooling" / "config.json").write_text("{}")
    return tmp_path


def place(folder: Path) -> Conversion:
    written = temporary_path(folder)
    written.write_bytes(b"converted")
    conversion = Conversion(fingerprint(folder), model_bytes=9, dimension=3, max_tokens=8, query_prompt="提问: ")
    place_conversion(folder, conversion, written)
    return conversion


def test_what_was_placed_is_read_back(folder: Path) -> None:
    assert read_conversion(folder) is None
    assert place(folder) == read_conversion(folder)
    assert model_path(folder).read_bytes() == b"converted"
    assert not temporary_path(folder).exists()


def test_a_refusal_needs_no_file(folder: Path) -> None:
    refusal = Conversion(fingerprint(folder), refusal="it is made of wood")
    place_conversion(folder, refusal)
    assert read_conversion(folder) == refusal


def test_what_was_prepared_is_no_part_of_the_model(folder: Path) -> None:
    before = identity(folder), fingerprint(folder)
    place(folder)
    temporary_path(folder).write_bytes(b"being written")
    assert (identity(folder), fingerprint(folder)) == before


@pytest.mark.parametrize("name", ["model.safetensors", "1_Pooling/config.json"])
def test_a_conversion_does_not_count_once_the_model_has_changed(folder: Path, name: str) -> None:
    place(folder)
    os.utime(folder / name, ns=(1, 1))
    assert read_conversion(folder) is None


def test_a_conversion_does_not_count_once_a_file_has_come_to_the_model(folder: Path) -> None:
    place(folder)
    (folder / "tokenizer.json").write_text("{}")
    assert read_conversion(folder) is None


@pytest.mark.parametrize("size", [0, 8, 10])
def test_a_converted_file_of_another_size_does_not_count(folder: Path, size: int) -> None:
    place(folder)
    model_path(folder).write_bytes(bytes(size))
    assert read_conversion(folder) is None


@pytest.mark.parametrize("record", [b"", b"{", b"[]", b"\xff", b'{"source": "x"}', b'{"colour": "red"}'])
def test_a_damaged_record_does_not_count(folder: Path, record: bytes) -> None:
    place(folder)
    (folder / "model_int8.2.json").write_bytes(record)
    assert read_conversion(folder) is None


def test_what_an_earlier_version_has_prepared_does_not_count_and_is_removed(folder: Path) -> None:
    before = fingerprint(folder)
    for name in ("model_int8.json", "model_int8.onnx"):
        (folder / name).write_text("{}")
    assert read_conversion(folder) is None
    assert fingerprint(folder) == before
    place(folder)
    assert sorted(path.name for path in folder.glob("model_int8*")) == ["model_int8.2.json", "model_int8.2.onnx"]


def test_a_conversion_can_be_removed_twice(folder: Path) -> None:
    place(folder)
    remove_conversion(folder)
    remove_conversion(folder)
    assert read_conversion(folder) is None

import math
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from kb.errors import ModelDownloadError
from kb.models.mirrors.e5s1 import convert
from kb.models.sentence_folder import assemble, identity
from tests import tiny_e5
from tests.tiny_e5 import TinyE5


def converted(tmp_path: Path, model: TinyE5) -> Path:
    folder = tmp_path / "converted"
    folder.mkdir(exist_ok=True)
    convert(model.write(tmp_path / "tiny.e5s1"), folder)
    return folder


def test_every_weight_comes_through_the_conversion(tmp_path: Path) -> None:
    from safetensors.numpy import load_file

    model = TinyE5()
    tensors = load_file(converted(tmp_path, model) / "model.safetensors")
    pairs = {
        "emb.word": "embeddings.word_embeddings.weight",
        "emb.pos": "embeddings.position_embeddings.weight",
        "l0.q.w": "encoder.layer.0.attention.self.query.weight",
        "l1.ao.w": "encoder.layer.1.attention.output.dense.weight",
        "l1.fi.w": "encoder.layer.1.intermediate.dense.weight",
        "l0.fo.w": "encoder.layer.0.output.dense.weight",
        "l0.aln.b": "encoder.layer.0.attention.output.LayerNorm.bias",
        "l1.oln.w": "encoder.layer.1.output.LayerNorm.weight",
    }
    for short, long in pairs.items():
        np.testing.assert_array_equal(tensors[long], model.weights[short], err_msg=short)
    assert len(tensors) == len(model.weights) + 2, "all tensors, and the pooler that nothing uses"


@pytest.mark.timeout(120)  # the first to import the libraries
def test_the_tokenizer_cuts_text_into_the_pieces_of_the_file(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(str(converted(tmp_path, TinyE5())))
    ids = tokenizer("query:  green tea ｓ绿茶")["input_ids"]
    expected = ["<s>", "▁query", ":", "▁green", "▁tea", "▁", "s", "绿", "茶", "</s>"]
    assert tokenizer.convert_ids_to_tokens(ids) == expected
    assert tokenizer.pad_token_id == 1
    assert tokenizer.model_max_length == tiny_e5.POSITIONS


@pytest.mark.timeout(120)  # the first to import the libraries
def test_sentence_transformers_loads_the_folder_and_gives_unit_vectors(tmp_path: Path) -> None:
    from sentence_transformers import SentenceTransformer

    TinyE5().write(tmp_path / "tiny.e5s1")
    folder = assemble(tmp_path, "tiny.e5s1", "tiny", "a test")
    model = SentenceTransformer(str(folder), device="cpu", local_files_only=True)
    assert identity(folder) == "tiny@q4"
    assert model.max_seq_length == tiny_e5.POSITIONS
    assert "'pooling_mode': 'mean'" in str(model[1])
    assert (model.prompts["query"], model.prompts["passage"]) == ("query: ", "passage: ")
    vectors = model.encode(["green tea", "绿茶"], prompt_name="passage")
    assert vectors.shape == (2, tiny_e5.HIDDEN)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert not np.allclose(vectors[0], vectors[1])


@pytest.mark.parametrize("kept", [0.0, 0.01, 0.02, 0.1, 0.5, 0.999])
def test_a_truncated_file_is_refused(tmp_path: Path, kept: float) -> None:
    path = TinyE5().write(tmp_path / "tiny.e5s1")
    data = path.read_bytes()
    path.write_bytes(data[: math.floor(len(data) * kept)])
    with pytest.raises(ModelDownloadError, match=r"tiny\.e5s1 is damaged"):
        convert(path, tmp_path)


def test_every_cut_through_header_and_tokenizer_is_refused(tmp_path: Path) -> None:
    path = TinyE5().write(tmp_path / "tiny.e5s1")
    data = path.read_bytes()
    for size_bytes in range(1, 400):
        path.write_bytes(data[:size_bytes])
        with pytest.raises(ModelDownloadError, match="is damaged"):
            convert(path, tmp_path)


def test_random_damage_gives_our_error_or_a_model_but_never_another_error(tmp_path: Path) -> None:
    path = TinyE5().write(tmp_path / "tiny.e5s1")
    data = path.read_bytes()
    random = np.random.default_rng(3)
    refused = 0
    for _ in range(150):
        damaged = bytearray(data)
        for position in random.integers(0, 3000, 4):
            damaged[position] = random.integers(0, 256)
        path.write_bytes(damaged)
        try:
            convert(path, tmp_path)
        except ModelDownloadError:
            refused += 1
    assert refused > 50


def test_other_formats_and_versions_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDownloadError, match="does not start with E5S1"):
        converted(tmp_path, TinyE5(magic=b"GGUF"))
    with pytest.raises(ModelDownloadError, match="version 2"):
        converted(tmp_path, TinyE5(version=2))


def test_a_missing_or_misshapen_tensor_is_refused(tmp_path: Path) -> None:
    model = TinyE5()
    del model.weights["l1.oln.b"]
    with pytest.raises(ModelDownloadError, match=r"l1\.oln\.b is missing"):
        converted(tmp_path, model)
    model = TinyE5()
    model.weights["emb.ln.b"] = np.zeros(5, np.float32)
    with pytest.raises(ModelDownloadError, match=r"emb\.ln\.b has 5 weights"):
        converted(tmp_path, model)
    model = TinyE5()
    model.weights["emb.ln.b"][3] = np.nan
    with pytest.raises(ModelDownloadError, match="not finite"):
        converted(tmp_path, model)


def test_a_vocabulary_with_a_piece_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelDownloadError, match="a piece twice"):
        converted(tmp_path, TinyE5(pieces=[*tiny_e5.PIECES[:-1], "茶"]))


def test_damaged_files_are_deleted_so_that_the_next_try_starts_over(tmp_path: Path) -> None:
    folder = tmp_path / "partial"
    folder.mkdir()
    (folder / "tiny.e5s1").write_bytes(b"E5S1" + struct.pack("<I", 1))
    with pytest.raises(ModelDownloadError):
        assemble(folder, "tiny.e5s1", "tiny", "a test")
    assert not folder.exists()


def test_weights_that_do_not_fit_their_config_are_refused(tmp_path: Path) -> None:
    folder = converted(tmp_path, TinyE5())
    config = folder / "config.json"
    config.write_text(
        config.read_text("utf-8").replace(f'"vocab_size": {tiny_e5.VOCABULARY}', '"vocab_size": 21'), "utf-8"
    )
    with pytest.raises(ModelDownloadError, match="do not fit"):
        assemble(folder, "config.json", "tiny", "a test")


def test_folders_from_elsewhere_have_an_identity_that_changes_with_their_files(tmp_path: Path) -> None:
    own = tmp_path / "my-model"
    shutil.copytree(converted(tmp_path, TinyE5()), own)
    before = identity(own)
    assert before.startswith("my-model@")
    assert identity(own) == before
    with (own / "model.safetensors").open("ab") as file:
        file.write(b"more")
    assert identity(own) != before

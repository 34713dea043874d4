from pathlib import Path

import pytest

from kb.errors import ModelDownloadError
from kb.models.catalog import DEFAULT_ANSWER_MODEL, FALLBACK_ANSWER_MODEL, CatalogModel
from kb.models.fetch import Source
from kb.models.store import ModelStore
from tests.model_sources import GGUF, NOWHERE, answer_model, gguf_at, ignore, place, serve


def test_the_models_setting_decides_else_an_r1_distill_else_what_is_there(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    assert store.choose_answer_model("") is None
    place(store, "smollm2-135m-instruct")
    assert store.choose_answer_model("") is None, "a model for tests never answers by itself"
    place(store, FALLBACK_ANSWER_MODEL)
    assert store.choose_answer_model("") == FALLBACK_ANSWER_MODEL
    place(store, "deepseek-r1-distill-qwen-7b")
    assert store.choose_answer_model("") == "deepseek-r1-distill-qwen-7b"
    place(store, DEFAULT_ANSWER_MODEL)
    assert store.choose_answer_model("") == DEFAULT_ANSWER_MODEL
    assert store.choose_answer_model("/my/own.gguf") == "/my/own.gguf"


def test_the_choice_is_described_with_the_way_to_an_r1_distill(tmp_path: Path) -> None:
    store = ModelStore(tmp_path)
    get_r1 = f"`kb models pull {DEFAULT_ANSWER_MODEL}`"
    assert store.describe_choice(None) == f"No answering model is here yet; {get_r1} fetches one."
    assert "is not here; `kb models pull deepseek-r1-distill-qwen-7b`" in store.describe_choice(
        "deepseek-r1-distill-qwen-7b"
    )
    assert "`kb models list`" in store.describe_choice("gone.gguf")
    place(store, FALLBACK_ANSWER_MODEL)
    assert store.describe_choice(FALLBACK_ANSWER_MODEL) == (
        "Qwen2.5-Coder-1.5B-Instruct answers; it is not an R1 distill and does not think first. "
        f"{get_r1} fetches one that does."
    )
    place(store, DEFAULT_ANSWER_MODEL)
    assert store.describe_choice(DEFAULT_ANSWER_MODEL) == (
        "DeepSeek-R1-Distill-Qwen-1.5B answers; it thinks before it does."
    )


def default_models(r1: Source, fallback: Source) -> tuple[CatalogModel, CatalogModel]:
    return answer_model(DEFAULT_ANSWER_MODEL, r1, reasons=True), answer_model(FALLBACK_ANSWER_MODEL, fallback)


def test_the_default_is_an_r1_distill(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, default_models(gguf_at(server.url), gguf_at(NOWHERE)))
        name, path = store.pull_default_answer_model(ignore)
    assert (name, path) == (DEFAULT_ANSWER_MODEL, store.find(DEFAULT_ANSWER_MODEL))


def test_another_model_stands_in_where_no_r1_source_can_be_reached(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}) as server:
        store = ModelStore(tmp_path, default_models(gguf_at(NOWHERE), gguf_at(server.url)))
        name, path = store.pull_default_answer_model(ignore)
    assert (name, path) == (FALLBACK_ANSWER_MODEL, store.find(FALLBACK_ANSWER_MODEL))


def test_no_other_model_stands_in_for_an_r1_download_that_broke_off(tmp_path: Path) -> None:
    with serve({"/model.gguf": GGUF}, cut_after=[100_000, 0, 0, 0, 0]) as server:
        store = ModelStore(tmp_path, default_models(gguf_at(server.url), gguf_at(server.url)))
        with pytest.raises(ModelDownloadError, match=f"{DEFAULT_ANSWER_MODEL} could not be fetched"):
            store.pull_default_answer_model(ignore)
    assert store.find(FALLBACK_ANSWER_MODEL) is None


def test_where_nothing_can_be_reached_both_models_are_named(tmp_path: Path) -> None:
    store = ModelStore(tmp_path, default_models(gguf_at(NOWHERE), gguf_at(NOWHERE)))
    with pytest.raises(ModelDownloadError) as caught:
        store.pull_default_answer_model(ignore)
    assert DEFAULT_ANSWER_MODEL in caught.value.message
    assert FALLBACK_ANSWER_MODEL in caught.value.message

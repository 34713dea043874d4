import os
import re
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest

from kb.models.catalog import DEFAULT_ANSWER_MODEL, catalog
from kb.models.fetch import HubFiles, Source
from kb.models.hub_folder import HubFolder
from kb.models.mirrors.wheels import WheelFiles
from kb.models.store import ModelStore
from tests.model_sources import ignore, sha256


def test_the_catalog_holds_what_is_needed_to_check_each_answering_model() -> None:
    models = catalog()
    assert len({model.name for model in models}) == len(models) == 13
    assert models[0].name == DEFAULT_ANSWER_MODEL
    assert sum(model.reasons for model in models) == 6
    for model in models:
        assert model.size_bytes > 0
        assert model.licence
        assert model.description.endswith(".")
        assert model.sources
        if model.role != "embedding":
            for source in model.sources:
                (file,) = source.files
                assert re.fullmatch(r"[0-9a-f]{64}", file.sha256)
                assert file.name.endswith(".gguf")
    (standing_in,) = (model for model in models if len(model.sources) > 1 and model.role == "answer")
    assert len({source.files for source in standing_in.sources}) == 1


def sources() -> Iterator[object]:
    for model in catalog():
        for source in model.sources:
            yield pytest.param(source, id=f"{model.name}-{source.kind}")


@pytest.mark.parametrize("source", list(sources()))
def test_each_file_in_the_catalog_is_one_thing_for_ever(source: Source) -> None:
    assert source.is_pinned
    if isinstance(source, HubFolder):
        return  # the commit says what comes
    assert all(re.fullmatch(r"[0-9a-f]{64}", file.sha256) for file in source.files)
    if isinstance(source, HubFiles) and not all(file.name.endswith(".gguf") for file in source.files):
        assert re.fullmatch(r"[0-9a-f]{40}", source.revision), "files that belong together come from one commit"
    if isinstance(source, WheelFiles):
        assert all(re.fullmatch(r"[\w-]+==\d[\d.]*", wheel.requirement) for wheel in source.wheels)


@pytest.mark.models
def test_models_in_the_users_directory_have_the_sha256_of_the_catalog() -> None:
    store = ModelStore(Path(os.environ.get("KB_MODELS") or platformdirs.user_cache_path("r1-kb") / "models"))
    path = store.find("smollm2-135m-instruct") or store.pull("smollm2-135m-instruct", ignore)
    model = store.known("smollm2-135m-instruct")
    assert model
    assert path.stat().st_size == model.size_bytes
    assert sha256(path.read_bytes()) == model.sources[0].files[0].sha256


def test_embedding_models_that_llama_runs_are_files_and_the_others_folders() -> None:
    models = {model.name: model for model in catalog() if model.role == "embedding"}
    assert {name for name, model in models.items() if model.is_gguf} == {"bge-m3", "qwen3-embedding-0.6b-gguf"}
    assert models["qwen3-embedding-0.6b"].prompts == models["bge-m3"].prompts == {}, "their files say it, or none"

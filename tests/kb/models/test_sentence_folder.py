"""What the files of an embedding model say of it."""

import json
from pathlib import Path
from typing import Any

import pytest

from kb.errors import ModelDownloadError
from kb.models.sentence_folder import check, foreign_code, prompts_of

MODULES = [{"idx": 0, "name": "0", "path": "", "type": "sentence_transformers.models.Transformer"}]
AUTO_MAP = {"AutoModel": "modeling_new.NewModel"}


@pytest.mark.parametrize(
    ("settings", "query", "passage"),
    [
        ({}, "", ""),
        ({"prompts": {"query": "q: ", "document": "d: "}}, "q: ", "d: "),
        ({"prompts": {"query": "q: ", "passage": "p: "}}, "q: ", "p: "),
        ({"prompts": {"query": "q: ", "document": "", "passage": "p: "}}, "q: ", "p: "),
        ({"prompts": {"query": "q: ", "corpus": "c: "}, "default_prompt_name": "query"}, "q: ", "c: "),
        ({"prompts": {"query": "q: "}, "default_prompt_name": "query"}, "q: ", ""),
        ({"prompts": {"query": "q: ", "document": ""}, "default_prompt_name": "query"}, "q: ", ""),
        ({"prompts": {"s2p_query": "s2p: ", "s2s_query": "s2s: "}, "default_prompt_name": None}, "s2p: ", ""),
        ({"prompts": {"retrieval.query": "q: ", "retrieval.passage": "p: "}}, "q: ", "p: "),
        ({"prompts": {"retrieval": "r: "}, "default_prompt_name": "retrieval"}, "r: ", "r: "),
        ({"prompts": {"retrieval": "r: ", "query": "q: "}, "default_prompt_name": "retrieval"}, "q: ", "r: "),
        ({"prompts": {"classification": "c: "}}, "", ""),
        ({"prompts": None}, "", ""),
    ],
)
def test_prompts_are_those_that_the_makers_gave(
    tmp_path: Path, settings: dict[str, Any], query: str, passage: str
) -> None:
    (tmp_path / "config_sentence_transformers.json").write_text(json.dumps(settings))
    assert prompts_of(tmp_path) == (query, passage)


@pytest.mark.timeout(120)  # may be the first to import transformers
@pytest.mark.parametrize(
    ("modules", "config", "foreign"),
    [
        (MODULES, {"model_type": "bert"}, ""),
        (MODULES, {"model_type": "bert", "auto_map": AUTO_MAP}, ""),
        (MODULES, {"model_type": "new", "auto_map": AUTO_MAP}, "new"),
        ([{**MODULES[0], "path": "0_Transformer"}], {"model_type": "new", "auto_map": AUTO_MAP}, "new"),
        ([{**MODULES[0], "type": "custom_st.Transformer"}], {"model_type": "bert"}, "custom_st.Transformer"),
    ],
)
def test_model_that_needs_code_of_its_makers_is_known_by_its_configuration(
    tmp_path: Path, modules: list[dict[str, Any]], config: dict[str, Any], foreign: str
) -> None:
    place = tmp_path / "model" / modules[0]["path"]
    place.mkdir(parents=True)
    (tmp_path / "model" / "modules.json").write_text(json.dumps(modules))
    (place / "config.json").write_text(json.dumps(config))
    assert foreign_code(tmp_path / "model") == foreign
    if foreign:
        with pytest.raises(ModelDownloadError, match=rf"code of its makers \({foreign}\)"):
            check(tmp_path / "model")
        assert not (tmp_path / "model").exists()
    else:
        check(tmp_path / "model")

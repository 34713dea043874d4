"""Makes a folder with an encoder and its tokenizer into an embedding model that sentence-transformers loads offline.

Whatever source the encoder came from, the folder looks the same: mean pooling, unit norm, and the prefixes of the E5
family as prompts. `source.json` says where it came from.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from kb.errors import ModelDownloadError
from kb.models.cross_encoder import is_cross_encoder
from kb.models.fetch import RemoteFile
from kb.models.mirrors import e5s1
from kb.models.onnx_folder import is_prepared_file

SOURCE_NAME = "source.json"
_SETTINGS_NAME = "config_sentence_transformers.json"
_QUERY, _PASSAGE = ("query",), ("document", "passage", "corpus")
PROMPTS = {
    "query": "query: ",
    "passage": "passage: ",
}  # Wang et al. 2024, Multilingual E5; the model is trained on them

FILES = tuple(
    map(
        RemoteFile,
        (
            "config.json",
            "modules.json",
            "1_Pooling/config.json",
            "tokenizer_config.json",
            "tokenizer.json",
            "model.safetensors",
        ),
    )
)
"""What most models of sentence-transformers are made of."""


def assemble(folder: Path, first: str, name: str, source: str) -> Path:
    """Makes fetched files into the folder of an embedding model; damaged ones are deleted, to start over next time.

    Args:
        folder: Where the files are.
        first: Name of the first of them; an `E5S1` file is converted.
        name: Of the model.
        source: Where the files came from, for people.

    Returns:
        The finished folder, `folder` itself or one in it.

    Raises:
        ModelDownloadError: The files are damaged or do not belong together.
    """
    try:
        if Path(first).suffix != e5s1.SUFFIX:
            complete(folder, f"{name}@hub", source, "float32")
            return folder
        converted = folder / "converted"
        converted.mkdir(exist_ok=True)
        e5s1.convert(folder / first, converted)
        complete(converted, f"{name}@q4", source, "Q4_0")
    except ModelDownloadError:
        shutil.rmtree(folder)
        raise
    return converted


def complete(folder: Path, name: str, source: str, quantisation: str) -> None:
    """Adds what sentence-transformers needs, after a look at the weights.

    Args:
        folder: Holds `config.json`, `model.safetensors`, `tokenizer.json` and `tokenizer_config.json` of a BERT model.
        name: The identity under which its vectors are kept; those of other identities are not comparable.
        source: Where the weights came from, for people.
        quantisation: Of the weights as they came: `float32`, or the name of a coarser one.

    Raises:
        ModelDownloadError: The files are damaged or do not belong together.
    """
    dimension, max_tokens = _checked_shape(folder)
    modules = ("Transformer", ""), ("Pooling", "1_Pooling"), ("Normalize", "2_Normalize")
    listed = [
        {"idx": number, "name": str(number), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for number, (kind, path) in enumerate(modules)
    ]
    (folder / "1_Pooling").mkdir(exist_ok=True)
    (folder / "2_Normalize").mkdir(exist_ok=True)
    pooling = {"word_embedding_dimension": dimension, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}
    _write(folder / "modules.json", listed)
    _write(folder / "1_Pooling" / "config.json", pooling)
    _write(folder / "sentence_bert_config.json", {"max_seq_length": max_tokens, "do_lower_case": False})
    _write(folder / _SETTINGS_NAME, {"prompts": PROMPTS, "similarity_fn_name": "cosine"})
    _write(folder / SOURCE_NAME, {"identity": name, "source": source, "quantisation": quantisation})


def check(folder: Path) -> None:
    """Looks whether a folder that was fetched holds such a model; it is deleted if not, to start over next time.

    Raises:
        ModelDownloadError: It does not, or only together with code of its makers.
    """
    reason = "by its files it is not an embedding model of sentence-transformers"
    if not is_cross_encoder(folder) and is_sentence_folder(folder):
        foreign = foreign_code(folder)
        if not foreign:
            return
        reason = f"it works only with code of its makers ({foreign}), which is never run here"
    shutil.rmtree(folder)
    raise ModelDownloadError(reason)


def foreign_code(folder: Path) -> str:
    """What of a model is known only to code that came with it, which nobody here has read; empty: nothing."""
    modules = [module for module in _read(folder / "modules.json", []) if isinstance(module, dict)]
    for module in modules:
        if not str(module.get("type", "")).startswith("sentence_transformers."):
            return str(module.get("type"))
    for place in dict.fromkeys(["", *(str(module.get("path", "")) for module in modules)]):
        config = _read(folder / place / "config.json", {})
        if config.get("auto_map") and not _is_known(str(config.get("model_type"))):
            return str(config.get("model_type"))
    return ""


def _is_known(model_type: str) -> bool:
    """Whether transformers has a model of its own of that type: then it does not need what came with the files."""
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING

    return model_type in CONFIG_MAPPING


def name_prompts(folder: Path, prompts: Mapping[str, str]) -> None:
    """Adds prompts to a model whose own files name none."""
    settings = _read(folder / _SETTINGS_NAME, {})
    if prompts and not any((settings.get("prompts") or {}).values()):
        _write(folder / _SETTINGS_NAME, {**settings, "prompts": dict(prompts)})


def prompts_of(folder: Path) -> tuple[str, str]:
    """What goes before a question, and before a passage.

    Makers call the one `query`, or something that ends so, such as `s2p_query`, and the other `document`, `passage` or
    `corpus`; the default prompt stands in for what is not named.
    """
    settings = _read(folder / _SETTINGS_NAME, {})
    prompts = {str(name): str(text or "") for name, text in (settings.get("prompts") or {}).items()}
    default = str(settings.get("default_prompt_name") or "")
    return _prompt(prompts, default, _QUERY, _PASSAGE), _prompt(prompts, default, _PASSAGE, _QUERY)


def _prompt(prompts: Mapping[str, str], default: str, names: tuple[str, ...], others: tuple[str, ...]) -> str:
    """The prompt of one kind of text; the default is none where its name says that it is for the other kind."""
    named = [name for name in names if name in prompts] or [name for name in prompts if name.endswith(names)]
    if named:
        return next((prompts[name] for name in named if prompts[name]), "")
    return "" if default.endswith(others) else prompts.get(default, "")


def is_sentence_folder(path: Path) -> bool:
    """Whether a folder holds a model that sentence-transformers loads."""
    return (path / "modules.json").is_file()


def identity(folder: Path) -> str:
    """Names a model and its variant: vectors are compared only within one identity.

    Args:
        folder: Of an embedding model; one that did not come from the catalog is known by its folder's name and a
            fingerprint of its files' names and sizes, so that a second model in the same place is not taken for it.
    """
    try:
        return str(json.loads((folder / SOURCE_NAME).read_text("utf-8"))["identity"])
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        files = sorted((path.relative_to(folder).as_posix(), path.stat().st_size) for path in _files(folder))
        return f"{folder.name}@{hashlib.sha256(repr(files).encode()).hexdigest()[:12]}"


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("*") if path.is_file() and not is_prepared_file(path))


def _checked_shape(folder: Path) -> tuple[int, int]:
    """Dimension and longest input in tokens, once config, weights and tokenizer have been seen to fit together."""
    from safetensors import SafetensorError, safe_open

    try:
        config = json.loads((folder / "config.json").read_text("utf-8"))
        json.loads((folder / "tokenizer.json").read_text("utf-8"))
        json.loads((folder / "tokenizer_config.json").read_text("utf-8"))
        rows, dimension = int(config["vocab_size"]), int(config["hidden_size"])
        max_tokens = int(config["max_position_embeddings"])
        with safe_open(folder / "model.safetensors", framework="numpy") as weights:
            names = [name for name in sorted(weights.keys()) if name.endswith("embeddings.word_embeddings.weight")]
            shapes = [list(weights.get_slice(name).get_shape()) for name in names]
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise ModelDownloadError(f"the embedding model is damaged: {error}") from error
    if shapes != [[rows, dimension]]:
        raise ModelDownloadError(f"the embedding model's weights do not fit its config.json: {shapes}")
    return dimension, max_tokens


def _read(path: Path, otherwise: Any) -> Any:
    """A file of JSON of the kind of what stands in for it."""
    try:
        value = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return otherwise
    return value if isinstance(value, type(otherwise)) else otherwise


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", "utf-8")

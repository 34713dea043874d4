"""Chooses what computes embeddings: torch on a graphics processor, else ONNX Runtime on the processor in 8 bit.

A model is converted for ONNX Runtime once, in a child process, and lies beside the original from then on. Where that
cannot be, torch computes on the processor, and `describe_backend` says why.
"""

import logging
import tempfile
from pathlib import Path
from typing import Literal

from kb import children
from kb.adapters.embedding.onnx_embedder import OnnxEmbedder
from kb.adapters.embedding.torch_embedder import SentenceTransformerEmbedder
from kb.children import ChildNotStarted
from kb.errors import ModelError, ModelLoadError
from kb.models.cross_encoder import is_cross_encoder
from kb.models.onnx_folder import Conversion, model_path, read_conversion, remove_conversion
from kb.models.sentence_folder import foreign_code
from kb.ports import Embedder
from kb.processor import has_accelerator
from kb.values.progress import Progress, Report

logger = logging.getLogger(__name__)


EmbeddingBackend = Literal["auto", "torch", "onnx"]

_SUFFIX = "+int8"  # vectors of the converted model are near the original's, not the same
_PATIENCE_SECONDS = 900.0
_EXPORTER = "kb.adapters.embedding.onnx_export.convert"


def open_embedder(folder: Path, identity: str, report: Report, backend: EmbeddingBackend = "auto") -> Embedder:
    """Loads an embedding model in the way that is fastest here, after preparing it if it never was.

    Args:
        folder: A model in sentence-transformers' layout.
        identity: Of the model as it came; vectors made in 8 bit get another one.
        report: Called while the model is being prepared; may raise to stop that.
        backend: `onnx` and `torch` insist; `auto` takes torch where it has a graphics processor or must stand in.

    Raises:
        ModelLoadError: The model does not load, is a reranker, needs code of its makers, or cannot be prepared and
            `onnx` is insisted on.
    """
    if is_cross_encoder(folder):
        raise ModelLoadError(f"{folder} is a reranker, not an embedding model", "correct KB_EMBEDDING_MODEL")
    if foreign := foreign_code(folder):
        raise ModelLoadError(
            f"{folder} works only with code of its makers ({foreign}), which is never run here",
            "choose another model with KB_EMBEDDING_MODEL, or run this one on a server and name that: openai:MODEL@URL",
        )
    if not _wants_onnx(backend):
        return SentenceTransformerEmbedder(folder, identity)
    try:
        return _open_prepared(folder, identity, report)
    except _Unprepared as error:
        if backend == "onnx":
            raise ModelLoadError(
                f"{folder.name} is not prepared for ONNX Runtime: {error.message}", "set KB_EMBEDDING_BACKEND to auto"
            ) from error
        logger.warning("torch embeds, and not ONNX Runtime, which is faster: %s", error.message)
        return SentenceTransformerEmbedder(folder, identity)


def prepare_embedder(folder: Path, report: Report, backend: EmbeddingBackend = "auto") -> None:
    """Does what `open_embedder` would have to do first, so that the first start is quick.

    What fails is logged, and tried again by `open_embedder`.
    """
    if _wants_onnx(backend):
        try:
            _conversion(folder, report)
        except _Unprepared as error:
            logger.warning("%s is not prepared for ONNX Runtime: %s", folder.name, error.message)


def describe_backend(folder: Path, backend: EmbeddingBackend = "auto") -> str:
    """Says in a few words what computes the embeddings of a model, and why.

    Args:
        folder: Of a model that is here.
    """
    if backend == "torch":
        return "in torch, as set"
    if not _wants_onnx(backend):
        return "in torch, on the graphics processor"
    conversion = read_conversion(folder)
    if conversion is None:
        return "prepared for this processor when it is first used"
    if conversion.refusal:
        return f"in torch, which is slower: {conversion.refusal}"
    return f"in 8 bit by ONNX Runtime, cosine {conversion.agreement:.3f} to the original"


class _Unprepared(ModelError):
    """There is no converted model, and why."""


def _wants_onnx(backend: EmbeddingBackend) -> bool:
    return backend == "onnx" or (backend == "auto" and not has_accelerator())


def _open_prepared(folder: Path, identity: str, report: Report) -> OnnxEmbedder:
    def load() -> OnnxEmbedder:
        conversion = _conversion(folder, report)
        return OnnxEmbedder(model_path(folder), folder / "tokenizer.json", conversion, identity + _SUFFIX)

    try:
        return load()
    except ModelLoadError as error:
        logger.warning("%s; it is made anew", error.message)
    try:
        remove_conversion(folder)
        return load()
    except (ModelLoadError, OSError) as error:
        raise _Unprepared(str(error)) from error


def _conversion(folder: Path, report: Report) -> Conversion:
    conversion = read_conversion(folder)
    if conversion is None:
        _convert(folder, report)
        conversion = read_conversion(folder)
    if conversion is None:
        raise _Unprepared("its files changed while it was converted")
    if conversion.refusal:
        raise _Unprepared(conversion.refusal)
    return conversion


def _convert(folder: Path, report: Report) -> None:
    label = f"preparing {folder.name} for this processor"
    with tempfile.TemporaryFile() as printed:
        try:
            child = children.start(_EXPORTER, str(folder), output=printed)
        except ChildNotStarted as error:
            raise _Unprepared(error.message) from error
        status = children.watch(child, _PATIENCE_SECONDS, lambda: report(Progress(label, 0, None)))
        printed.seek(0)
        lines = printed.read().decode("utf-8", "replace").strip().splitlines()
    if status is None:
        raise _Unprepared(f"the conversion took longer than {_PATIENCE_SECONDS:.0f} s")
    if status != 0:
        raise _Unprepared(lines[-1] if lines else f"the conversion {children.describe_end(status)}")
    report(Progress(label, 1, 1))

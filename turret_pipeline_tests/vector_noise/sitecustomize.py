"""Wrap `load_embedder` so that its vectors are noisy. The tests put this folder on the path of all their processes.

Python imports `sitecustomize` at every start, so that this also holds for processes that the tests start. A text has
the same noise in every process, as on one machine it has the same vector.
"""

import hashlib
import importlib.abc
import importlib.machinery
import os
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from turret_pipeline.stats.array_types import FloatArray
    from turret_pipeline.topics.embedding.embedding import Embedder

EMBEDDER_MODULE = "turret_pipeline.models.embedder"


class NoisyEmbedderLoader(importlib.machinery.SourceFileLoader):
    """Load the module, and wrap its function."""

    def exec_module(self, module: ModuleType) -> None:
        super().exec_module(module)
        load_exact: Callable[..., Embedder] = module.load_embedder

        def load_embedder(model: str, device: str, *settings: object) -> "Embedder":
            embed = load_exact(model, device, *settings)
            return lambda texts: add_noise(embed(texts), texts)

        module.__dict__["load_embedder"] = load_embedder


class NoisyEmbedderFinder(importlib.abc.MetaPathFinder):
    """Find the module of the embedder with that loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != EMBEDDER_MODULE:
            return None
        spec = importlib.machinery.PathFinder.find_spec(fullname, path, target)
        assert spec is not None
        assert spec.origin is not None
        spec.loader = NoisyEmbedderLoader(fullname, spec.origin)
        return spec


def add_noise(vectors: "FloatArray", texts: Sequence[str]) -> "FloatArray":
    """Vectors with noise that depends on their text, scaled back to their length."""
    import numpy as np

    size, seed = float(os.environ["VECTOR_NOISE"]), os.environ.get("VECTOR_NOISE_SEED", "1")
    noisy = np.array(vectors, dtype=np.float64)
    for row, text in enumerate(texts):
        digest = hashlib.blake2b(f"{seed} {text}".encode(errors="surrogatepass"), digest_size=8).digest()
        noisy[row] += np.random.default_rng(int.from_bytes(digest)).normal(scale=size, size=noisy.shape[1])
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(noisy * lengths / np.linalg.norm(noisy, axis=1, keepdims=True), dtype=np.float32)


sys.meta_path.insert(0, NoisyEmbedderFinder())

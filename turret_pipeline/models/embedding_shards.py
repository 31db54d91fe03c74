"""Embedding of lists of texts as shards."""

import functools
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from turret_pipeline.models import embedder
from turret_pipeline.models.embedder import Execution
from turret_pipeline.shards.shard import Engine, Shard
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.atomic_files import remove, temp_path
from turret_pipeline.topics.embedding.embedding import Embedder


@dataclass(frozen=True)
class ShardedEmbedding:
    """Lists of texts to the vectors of each list, in order, by a model that the engine loads where it embeds.

    ``root`` is a folder for vectors that wait for those of an earlier list.
    """

    engine: Engine
    root: Path
    model: str
    device: str
    prefix: str = ""
    execution: Execution = field(default_factory=Execution)

    def __call__(self, lists: Iterable[Sequence[str]]) -> Iterator[FloatArray]:
        """The vectors of each list of texts, shape (texts, dimensions). Raises TurretError without the model."""
        settings = (self.model, self.device, self.prefix, self.execution)
        shards = (
            Shard(_embed, (number, list(texts), *settings), needs_model=True) for number, texts in enumerate(lists)
        )
        folder, waiting, wanted = temp_path(self.root / "vectors"), set[int](), 0
        try:
            folder.mkdir(mode=0o700, parents=True)
            for number in self.engine.run(shards, folder):
                waiting.add(number)
                while wanted in waiting:
                    waiting.remove(wanted)
                    yield np.load(_path(folder, wanted))
                    remove(_path(folder, wanted))
                    wanted += 1
        finally:
            remove(folder)


def _embed(
    folder: Path, number: int, texts: Sequence[str], model: str, device: str, prefix: str, execution: Execution
) -> int:
    np.save(_path(folder, number), np.asarray(load_once(model, device, prefix, execution)(texts), dtype=np.float32))
    return number


def _path(folder: Path, number: int) -> Path:
    return folder / f"{number}.npy"


@functools.lru_cache(maxsize=1)
def load_once(model: str, device: str, prefix: str, execution: Execution) -> Embedder:
    """The model (``load_embedder``), which stays in memory for the next shard."""
    return embedder.load_embedder(model, device, prefix, execution)

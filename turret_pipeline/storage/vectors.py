"""Vectors of texts in the lake: a folder per model, a file per embedded chunk."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.topics.embedding.embedding import Chunk


@dataclass(frozen=True)
class VectorStore:
    """Vectors by one model, by text id."""

    root: Path
    model: str

    @property
    def folder(self) -> Path:
        """Folder of this model's vectors."""
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", self.model).strip("-")
        return self.root / f"{readable}-{hashlib.sha256(self.model.encode()).hexdigest()[:8]}"

    def known_ids(self) -> pl.Series:
        """Ids of the texts that have a vector."""
        files = self._files()
        if not files:
            return pl.Series("text_id", [], pl.String)
        return pl.scan_parquet(files, glob=False).select("text_id").collect()["text_id"]

    def add(self, chunks: Iterable[Chunk]) -> Iterator[int]:
        """Store chunks as they arrive, each atomically; yields the number of texts of each."""
        for chunk in chunks:
            frame = pl.DataFrame(
                {"text_id": chunk.text_ids, "vector": chunk.vectors},
                schema={"text_id": pl.String, "vector": pl.Array(pl.Float32, chunk.vectors.shape[1])},
            )
            with atomic_replace(self.folder / f"{chunk.text_ids[0]}-{len(chunk.text_ids)}.parquet") as temp:
                frame.write_parquet(temp)
            yield len(chunk.text_ids)

    def vectors_of(self, text_ids: pl.Series) -> FloatArray:
        """Vectors of texts in their order, shape (texts, dimensions). Raises TurretError if one is missing."""
        if text_ids.is_empty():
            return np.empty((0, 0), dtype=np.float32)
        files = self._files()
        found = (
            text_ids.to_frame("text_id")
            .lazy()
            .join(pl.scan_parquet(files, glob=False), on="text_id", how="left", maintain_order="left")
            .collect()
            if files
            else None
        )
        if found is None or found["vector"].null_count():
            missing = len(text_ids) if found is None else found["vector"].null_count()
            raise TurretError(
                f"{missing:,} texts have no vector by {self.model}: materialize the asset embeddings first."
            )
        return found["vector"].to_numpy()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

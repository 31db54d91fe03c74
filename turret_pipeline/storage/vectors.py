"""Vectors of texts in the lake: a folder per model, a file per embedded chunk, with its checksum in its name.

Vectors of prepared texts (topics/embedding/preparation.py) are in a folder of their own within that of the model, and
replace the vector of the same text as it is. So the vectors of texts that need no preparation stay as they were, and a
change of the preparation only changes the name of that folder.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.atomic_files import commit, remove, temp_path
from turret_pipeline.storage.checksums import name_by_content
from turret_pipeline.topics.embedding.embedding import Chunk
from turret_pipeline.topics.embedding.preparation import FLAGS, PreparedChunk

PREPARATION = "prepared-1"
"""Folder of the vectors of prepared texts. A change of what is left out or of how windows are read needs a new name:
then these texts, and no others, are embedded anew."""


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
        """Ids of the texts that have a vector, as they are or prepared."""
        return pl.concat([_read_ids(self._files()), self.prepared_ids()]).unique()

    def prepared_ids(self) -> pl.Series:
        """Ids of the texts that have a vector of their prepared form."""
        return _read_ids(self._prepared_files())

    def add(self, chunks: Iterable[Chunk]) -> Iterator[int]:
        """Store chunks as they arrive, each atomically; yields the number of texts of each."""
        for chunk in chunks:
            frame = pl.DataFrame(
                {"text_id": chunk.text_ids, "vector": chunk.vectors},
                schema={"text_id": pl.String, "vector": pl.Array(pl.Float32, chunk.vectors.shape[1])},
            )
            folder = self.folder
            if isinstance(chunk, PreparedChunk):
                frame, folder = pl.concat([frame, chunk.flags], how="horizontal"), folder / PREPARATION
            _write_named(folder, frame)
            yield len(chunk.text_ids)

    def vectors_of(self, text_ids: pl.Series) -> FloatArray:
        """Vectors of texts in their order, shape (texts, dimensions). Raises TurretError if one is missing."""
        if text_ids.is_empty():
            return np.empty((0, 0), dtype=np.float32)
        wanted = text_ids.to_frame("text_id").lazy()
        stored = [pl.scan_parquet(files, glob=False) for files in (self._prepared_files(), self._files()) if files]
        found = wanted.with_columns(vector=pl.lit(None))
        for of_files in stored:
            vectors = of_files.select("text_id", pl.col("vector").alias("other"))
            joined = found.join(vectors, on="text_id", how="left", maintain_order="left")
            found = joined.select("text_id", pl.coalesce("vector", "other").alias("vector"))
        frame = found.collect()
        if missing := frame["vector"].null_count():
            raise TurretError(
                f"{missing:,} texts have no vector by {self.model}: materialize the asset embeddings first."
            )
        return frame["vector"].to_numpy()

    def read_batches(self, text_ids: pl.Series) -> Iterator[tuple[pl.Series, FloatArray]]:
        """Ids and vectors of those of the texts that have one, file by file."""
        wanted, prepared = text_ids.unique().to_frame("text_id"), self.prepared_ids().to_frame()
        yield from _read_batches(self._prepared_files(), wanted)
        yield from _read_batches(self._files(), wanted.join(prepared, on="text_id", how="anti"))

    def flags_of_prepared(self) -> pl.DataFrame:
        """Columns text_id, is_copy_left_out and is_cut of all texts with a vector of their prepared form."""
        files = self._prepared_files()
        return pl.scan_parquet(files, glob=False).select(FLAGS.names()).collect() if files else FLAGS.to_frame()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    def _prepared_files(self) -> list[Path]:
        return sorted((self.folder / PREPARATION).glob("*.parquet"))


def _read_ids(files: list[Path]) -> pl.Series:
    if not files:
        return pl.Series("text_id", [], pl.String)
    return pl.scan_parquet(files, glob=False).select("text_id").collect()["text_id"]


def _read_batches(files: list[Path], wanted: pl.DataFrame) -> Iterator[tuple[pl.Series, FloatArray]]:
    """Ids and vectors, file by file. The ids are looked up once, so that files without any of them are not read."""
    if not files:
        return
    ids = pl.scan_parquet(files, glob=False, include_file_paths="file").select("text_id", "file")
    found = ids.join(wanted.lazy(), on="text_id", how="semi").collect().partition_by("file", as_dict=True)
    for file in files:
        if (of_file := found.get((str(file),))) is not None:
            rows = pl.read_parquet(file, columns=["text_id", "vector"], glob=False)
            rows = rows.join(of_file, on="text_id", how="semi", maintain_order="left")
            yield rows["text_id"], rows["vector"].to_numpy()


def remove_vectors_of_other_texts(root: Path, text_ids: Iterable[str]) -> None:
    """Remove the vectors, by all models, of texts that are not among these."""
    kept = pl.Series("text_id", list(text_ids), pl.String)
    for file in sorted(root.rglob("*.parquet")):
        frame = pl.read_parquet(file, glob=False)
        of_texts = frame.filter(pl.col("text_id").is_in(kept.implode()))
        if of_texts.height < frame.height:
            if of_texts.height:
                _write_named(file.parent, of_texts)
            remove(file)


def limit_vanished_vectors(root: Path, text_ids: Iterable[str]) -> None:
    """Remove the vectors of texts that are not among these, as soon as they are more than half of all vectors.

    A text that vanishes may return, for example with another type of its field, so a few vectors are kept for it.
    """
    stored = _read_ids(sorted(root.rglob("*.parquet")))
    kept = pl.Series("text_id", list(text_ids), pl.String)
    if stored.is_in(kept.implode()).sum() < stored.len() / 2:
        remove_vectors_of_other_texts(root, kept)


def _write_named(folder: Path, frame: pl.DataFrame) -> None:
    """Write vectors under a name with their first text, their number and the hash of the content."""
    path = folder / f"{frame['text_id'][0]}-{frame.height}.parquet"
    temp = temp_path(path)
    try:
        frame.write_parquet(temp)
        commit(temp, name_by_content(path, temp))
    finally:
        remove(temp)

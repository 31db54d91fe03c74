"""Vectors of texts in the lake: a folder per model, a file per embedded chunk, with its checksum in its name.

Vectors of prepared texts (topics/embedding/preparation.py) are in a folder of their own within that of the model, and
replace the vector of the same text as it is. So the vectors of texts that need no preparation stay as they were, and a
change of the preparation only changes the name of that folder.

A student of the model (topics/cascade) is a file there, too, and the vectors that it predicted are in a folder with its
name. They count only for texts without a vector by the model itself. Each has the name of what made it, because a
near-duplicate has the vector of its representative.
"""

import hashlib
import io
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.atomic_files import commit, remove, temp_path
from turret_pipeline.storage.checksums import is_as_named, name_by_content
from turret_pipeline.topics.cascade.cascade import Cascade
from turret_pipeline.topics.cascade.margin import Doubt
from turret_pipeline.topics.cascade.student import StaticVectors, Student
from turret_pipeline.topics.embedding.embedding import Chunk
from turret_pipeline.topics.embedding.model_names import CASCADE
from turret_pipeline.topics.embedding.preparation import FLAGS, PreparedChunk

PREPARATION = "prepared-1"
"""Folder of the vectors of prepared texts. A change of what is left out or of how windows are read needs a new name:
then these texts, and no others, are embedded anew."""


@dataclass(frozen=True)
class PredictedChunk(Chunk):
    """Vectors without a call of the model, with the name of what made each: the model, or its student."""

    models: list[str]


WORDS = "words"
"""Name of the store with the vectors of single words, in the folder of their model."""


@dataclass(frozen=True)
class VectorStore:
    """Vectors by one model, by text id; for other texts, those that its student predicted by the ``method``."""

    root: Path
    model: str
    method: str = CASCADE

    @property
    def folder(self) -> Path:
        """Folder of this model's vectors."""
        readable = re.sub(r"[^A-Za-z0-9.]+", "-", self.model).strip("-")
        return self.root / f"{readable}-{hashlib.sha256(self.model.encode()).hexdigest()[:8]}"

    def known_ids(self) -> pl.Series:
        """Ids of the texts that have a vector, as they are or prepared."""
        return pl.concat([_read_ids(self._files()), self.prepared_ids()]).unique()

    def predicted_models(self) -> pl.DataFrame:
        """Columns text_id and model (the name of what made the vector) of the texts without a vector by the model."""
        files = self._predicted_files()
        if not files:
            return pl.DataFrame(schema={"text_id": pl.String, "model": pl.String})
        found = pl.scan_parquet(files, glob=False).select("text_id", "model").collect()
        found = found.join(self.known_ids().to_frame(), on="text_id", how="anti")
        return found.unique("text_id", keep="first", maintain_order=True)

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
            if isinstance(chunk, PredictedChunk):
                frame, folder = (
                    frame.with_columns(pl.Series("model", chunk.models)),
                    self._student_path().with_suffix(""),
                )
            if chunk.text_ids:
                _write_named(folder, frame)
            yield len(chunk.text_ids)

    @property
    def words(self) -> "VectorStore":
        """Vectors of single words, from which a student is trained."""
        return VectorStore(self.folder, WORDS)

    def save_student(self, cascade: Cascade) -> None:
        """Store a student and its doubt. It is named by its content."""
        student, doubt = cascade.student, cascade.doubt
        content = io.BytesIO()
        np.savez(
            content, words=student.static.words, word_vectors=student.static.vectors, shares=student.static.shares,
            phrases=student.phrases, weights=student.weights, bias=student.bias,
            centroids=doubt.centroids, min_margin=doubt.min_margin,
        )  # fmt: skip
        path = self.folder / f"{self.method}.npz"
        temp = temp_path(path)
        try:
            temp.write_bytes(content.getvalue())
            commit(temp, name_by_content(path, temp))
        finally:
            remove(temp)

    def read_student(self) -> Cascade | None:
        """The stored student with its doubt; None if there is none."""
        if not self._students():
            return None
        with np.load(self._student_path()) as found:
            static = StaticVectors(found["words"], found["word_vectors"], found["shares"])
            student = Student(static, found["phrases"], found["weights"], found["bias"])
            return Cascade(student, Doubt(found["centroids"], float(found["min_margin"])))

    def _students(self) -> list[Path]:
        return sorted(path for path in self.folder.glob(f"{self.method}-*.npz") if is_as_named(path))

    def _student_path(self) -> Path:
        return self._students()[0]

    def vectors_of(self, text_ids: pl.Series) -> FloatArray:
        """Vectors of texts in their order, shape (texts, dimensions). Raises TurretError if one is missing.

        A text may be in two files, with the same vector, if a run was killed while one replaced the other.
        """
        places = text_ids.to_frame("text_id").with_row_index("place")
        found: FloatArray | None = None
        is_found = np.zeros(len(text_ids), dtype=bool)
        for ids, vectors in self.read_batches(text_ids):
            if found is None:
                found = np.empty((len(text_ids), vectors.shape[1]), dtype=np.float32)
            rows = ids.to_frame("text_id").with_row_index("row").join(places, on="text_id")
            place = rows["place"].to_numpy()
            found[place], is_found[place] = vectors[rows["row"].to_numpy()], True
        if missing := int((~is_found).sum()):
            raise TurretError(
                f"{missing:,} texts have no vector by {self.model}: materialize the asset embeddings first."
            )
        return np.empty((0, 0), dtype=np.float32) if found is None else found

    def read_batches(self, text_ids: pl.Series) -> Iterator[tuple[pl.Series, FloatArray]]:
        """Ids and vectors of those of the texts that have one, file by file."""
        wanted, prepared = text_ids.unique().to_frame("text_id"), self.prepared_ids().to_frame()
        yield from _read_batches(self._prepared_files(), wanted)
        yield from _read_batches(self._files(), wanted.join(prepared, on="text_id", how="anti"))
        known = self.known_ids().to_frame()
        yield from _read_batches(self._predicted_files(), wanted.join(known, on="text_id", how="anti"))

    def flags_of_prepared(self) -> pl.DataFrame:
        """Columns text_id, is_copy_left_out and is_cut of all texts with a vector of their prepared form."""
        files = self._prepared_files()
        return pl.scan_parquet(files, glob=False).select(FLAGS.names()).collect() if files else FLAGS.to_frame()

    def _files(self) -> list[Path]:
        return sorted(self.folder.glob("*.parquet"))

    def _prepared_files(self) -> list[Path]:
        return sorted((self.folder / PREPARATION).glob("*.parquet"))

    def _predicted_files(self) -> list[Path]:
        return sorted(self.folder.glob(f"{self.method}-*/*.parquet"))


def _read_ids(files: list[Path]) -> pl.Series:
    if not files:
        return pl.Series("text_id", [], pl.String)
    return pl.scan_parquet(files, glob=False).select("text_id").collect()["text_id"]


def _read_batches(files: list[Path], wanted: pl.DataFrame) -> Iterator[tuple[pl.Series, FloatArray]]:
    """Ids and vectors, file by file. The ids are looked up once, so that files without any of them are not read."""
    if not files:
        return
    ids = pl.scan_parquet(files, glob=False, include_file_paths="file").select("text_id", "file")
    found = ids.join(wanted.lazy(), on="text_id", how="semi").collect().unique("text_id", keep="first")
    by_file = found.partition_by("file", as_dict=True)
    for file in files:
        if (of_file := by_file.get((str(file),))) is not None:
            rows = pl.read_parquet(file, columns=["text_id", "vector"], glob=False)
            rows = rows.join(of_file, on="text_id", how="semi", maintain_order="left")
            yield rows["text_id"], rows["vector"].to_numpy()


def remove_vectors_of_other_texts(root: Path, text_ids: Iterable[str]) -> None:
    """Remove the vectors, by all models, of texts that are not among these."""
    kept = pl.Series("text_id", list(text_ids), pl.String)
    for file in _list_files_of_texts(root):
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
    files = _list_files_of_texts(root)
    stored = pl.concat([_read_ids([]), *(_read_ids([file]) for file in files)]).unique()  # their columns differ
    kept = pl.Series("text_id", list(text_ids), pl.String)
    if stored.is_in(kept.implode()).sum() < stored.len() / 2:
        remove_vectors_of_other_texts(root, kept)


def remove_students(root: Path) -> None:
    """Remove the students of all models, and the vectors of words that they learned from: both hold words of texts.

    Vectors that a student predicted stay. The next texts get another student.
    """
    for path in sorted(root.rglob("*.npz")):
        remove(path)
    for folder in sorted(root.rglob(f"{WORDS}-*")):
        remove(folder)


def _list_files_of_texts(root: Path) -> list[Path]:
    """The files with vectors of texts, by all models, without those of single words."""
    return sorted(file for file in root.rglob("*.parquet") if not file.parent.name.startswith(f"{WORDS}-"))


def _write_named(folder: Path, frame: pl.DataFrame) -> None:
    """Write vectors under a name with their first text, their number and the hash of the content."""
    path = folder / f"{frame['text_id'][0]}-{frame.height}.parquet"
    temp = temp_path(path)
    try:
        frame.write_parquet(temp)
        commit(temp, name_by_content(path, temp))
    finally:
        remove(temp)

"""Embed the texts that have no vector yet: all by the model, or most by a student of it.

Everything is stored chunk by chunk, so that a killed run continues where it stopped. What a text gets depends on the
text, the student, and the representative of its near-duplicates, not on the order of the texts.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl

from turret_pipeline.progress import Progress
from turret_pipeline.storage.vectors import PredictedChunk, VectorStore
from turret_pipeline.topics.cascade.cascade import (
    Cascade,
    collect_static_vectors,
    is_too_few_for_student,
    pair_with_representatives,
    select_static_words,
    select_training_texts,
    train_cascade,
)
from turret_pipeline.topics.embedding.embedding import BulkEmbedder, embed_chunks, normalize_rows, select_texts_to_embed
from turret_pipeline.topics.embedding.model_names import FULL, STATIC, name_student
from turret_pipeline.topics.embedding.preparation import embed_prepared

BLOCK_TEXTS = 8192
"""Texts whose predicted vectors are stored in one file."""


@dataclass(frozen=True)
class TextEmbedding:
    """Embeds texts into ``store`` by one model, which is loaded when it is first needed."""

    store: VectorStore
    embed_lists: BulkEmbedder
    progress: Progress

    def embed(self, texts: pl.DataFrame, prepared: pl.DataFrame) -> int:
        """Embed those of the texts that have no vector yet, and return how many the model read.

        ``texts`` has the columns text_id and text. Those that are ``prepared`` are embedded in prepared form, always by
        the model itself.
        """
        as_it_is = texts.join(prepared.select("text_id"), on="text_id", how="anti").select("text_id", "text")
        waiting = prepared.join(self.store.prepared_ids().to_frame(), on="text_id", how="anti", maintain_order="left")
        count = 0
        if waiting.height:
            chunks = embed_prepared(waiting, self.embed_lists)
            count = self.progress.track("Embedding long texts", waiting.height, self.store.add(chunks))
        if self.store.method == FULL:
            return count + self._embed_fully("Embedding texts", as_it_is)
        return count + self._embed_by_student(as_it_is.unique("text_id").sort("text_id"))

    def _embed_fully(self, title: str, texts: pl.DataFrame) -> int:
        """Embed those of the texts by the model that it has not embedded."""
        waiting = select_texts_to_embed(texts, self.store.known_ids())
        if not waiting.height:
            return 0
        return self.progress.track(title, waiting.height, self.store.add(embed_chunks(waiting, self.embed_lists)))

    def _embed_by_student(self, texts: pl.DataFrame) -> int:
        known_ids = self._ids_with_a_vector()
        if texts.join(known_ids.to_frame(), on="text_id", how="anti").is_empty():
            return 0
        pairs = pair_with_representatives(texts, known_ids)
        distinct = texts.join(pairs.filter(pl.col("text_id") == pl.col("representative_id")), on="text_id", how="semi")
        cascade, count = self.store.read_student(), 0
        if cascade is None and is_too_few_for_student(distinct, known_ids):
            new = distinct.join(known_ids.to_frame(), on="text_id", how="anti")
            count = self._embed_fully("Embedding texts", new)
            sum(self.store.add(self._copy_vectors(pairs)))
            return count
        if cascade is None:
            cascade, count = self._train(texts, distinct)
        waiting = distinct.join(self._ids_with_a_vector().to_frame(), on="text_id", how="anti").sort("text_id")
        doubtful: list[str] = []
        blocks = self.store.add(self._predict(waiting, cascade, doubtful))
        self.progress.track("Embedding texts by the student", None, blocks)
        count += self._embed_fully(
            "Embedding doubtful texts",
            waiting.filter(pl.col("text_id").is_in(pl.Series(doubtful, dtype=pl.String).implode())),
        )
        sum(self.store.add(self._copy_vectors(pairs)))
        return count

    def _ids_with_a_vector(self) -> pl.Series:
        return pl.concat([self.store.known_ids(), self.store.predicted_models()["text_id"]])

    def _train(self, texts: pl.DataFrame, distinct: pl.DataFrame) -> tuple[Cascade, int]:
        """The student, which is stored, and the number of texts that the model read for it."""
        training = select_training_texts(distinct)
        count = self._embed_fully("Embedding a sample", training)
        words, store = select_static_words(texts["text"]), self.store.words
        waiting = select_texts_to_embed(words, store.known_ids())
        if waiting.height:
            count += self.progress.track(
                "Embedding words", waiting.height, store.add(embed_chunks(waiting, self.embed_lists))
            )
        with self.progress.during("Training a student of the embedding model"):
            static = collect_static_vectors(words, store.vectors_of(words["text_id"]))
            vectors = self.store.vectors_of(training["text_id"])
            self.store.save_student(train_cascade(training["text"].to_list(), vectors, static))
        cascade = self.store.read_student()
        assert cascade is not None
        return cascade, count

    def _predict(self, texts: pl.DataFrame, cascade: Cascade, doubtful: list[str]) -> Iterator[PredictedChunk]:
        """Vectors of the texts by the student, without the doubtful texts, whose ids are added to ``doubtful``."""
        for block in texts.iter_slices(BLOCK_TEXTS):
            if block.is_empty():
                return
            predicted = cascade.student.predict(block["text"].to_list())
            is_sure = np.ones(len(predicted), dtype=bool)
            if self.store.method != STATIC:
                is_sure = ~cascade.doubt.is_doubtful(predicted)
            doubtful.extend(block["text_id"].filter(pl.Series(~is_sure)))
            sure = block["text_id"].filter(pl.Series(is_sure)).to_list()
            names = [name_student(self.store.model)] * len(sure)
            yield PredictedChunk(sure, normalize_rows(predicted[is_sure]), names)

    def _copy_vectors(self, pairs: pl.DataFrame) -> Iterator[PredictedChunk]:
        """Vectors of the near-duplicates without any, from their representatives."""
        waiting = pairs.join(self._ids_with_a_vector().to_frame(), on="text_id", how="anti")
        models = self.store.predicted_models().rename({"text_id": "representative_id"})
        copied = waiting.join(models, on="representative_id", how="left").with_columns(
            pl.col("model").fill_null(self.store.model)
        )
        for ids, vectors in self.store.read_batches(copied["representative_id"]):
            of_batch = ids.to_frame("representative_id").with_row_index("row").join(copied, on="representative_id")
            for block in of_batch.sort("text_id").iter_slices(BLOCK_TEXTS):
                if block.height:
                    texts, models_of_texts = block["text_id"].to_list(), block["model"].to_list()
                    yield PredictedChunk(texts, vectors[block["row"].to_numpy()], models_of_texts)

"""Texts with their languages, embedded by the packaged models, for tests and benchmarks on real texts."""

from pathlib import Path

import polars as pl

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.vectors import VectorStore
from turret_pipeline.topics.embedding.embedding import embed_chunks, select_texts_to_embed
from turret_pipeline.topics.embedding.model_names import AUTO
from turret_pipeline.topics.embedding.readers import VectorLookup
from turret_pipeline.topics.lifecycle.state import TopicState, list_embeddings


def embed_texts(texts: pl.DataFrame, cache: Path) -> VectorLookup:
    """Lookup of the vectors of table ``texts``, stored in folder ``cache``; each text by the models that need it."""
    for model, text_ids in list_embeddings(texts, AUTO, TopicState.empty()).items():
        store = VectorStore(cache, model)
        of_model = texts.filter(pl.col("text_id").is_in(text_ids.implode()))
        if (waiting := select_texts_to_embed(of_model, store.known_ids())).height:
            sum(store.add(embed_chunks(waiting, load_embedder(model, "auto"))))

    def look_up(text_ids: pl.Series, model: str) -> FloatArray:
        return VectorStore(cache, model).vectors_of(text_ids)

    return look_up

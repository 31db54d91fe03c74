"""Texts with their languages, embedded by the packaged models, for tests and benchmarks on real texts."""

import itertools
from pathlib import Path

import polars as pl

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.storage.vectors import VectorStore
from turret_pipeline.topics.embedding.embedding import embed_chunks, one_by_one, select_texts_to_embed
from turret_pipeline.topics.embedding.model_names import AUTO
from turret_pipeline.topics.embedding.preparation import embed_prepared, prepare_texts
from turret_pipeline.topics.embedding.readers import VectorLookup
from turret_pipeline.topics.lifecycle.state import TopicState, list_embeddings


def embed_texts(texts: pl.DataFrame, cache: Path) -> VectorLookup:
    """Lookup of the vectors of table ``texts``, stored in folder ``cache``; each text by the models that need it."""
    prepared = prepare_texts(texts)
    for model, text_ids in list_embeddings(texts, AUTO, TopicState.empty()).items():
        store = VectorStore(cache, model)
        is_needed = pl.col("text_id").is_in(text_ids.implode())
        as_it_is = texts.filter(is_needed).join(prepared, on="text_id", how="anti")
        waiting = select_texts_to_embed(as_it_is, store.known_ids())
        to_prepare = prepared.filter(is_needed).join(store.prepared_ids().to_frame(), on="text_id", how="anti")
        if waiting.height or to_prepare.height:
            embed = one_by_one(load_embedder(model, "auto"))
            sum(store.add(itertools.chain(embed_chunks(waiting, embed), embed_prepared(to_prepare, embed))))

    def look_up(text_ids: pl.Series, model: str) -> FloatArray:
        return VectorStore(cache, model).vectors_of(text_ids)

    return look_up

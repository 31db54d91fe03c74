"""Prompts that say nearly the same as the one before: by the cosine of their vectors, and by the words they share."""

from collections.abc import Callable, Iterator

import numpy as np
import polars as pl

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

MIN_COSINE = 0.72
MIN_SHARED_WORDS = 0.7
"""Share of the words of the shorter prompt that the other has, where each word weighs its inverse document frequency:
what a template has in common with all other prompts says little."""

BLOCK_PAIRS = 250_000
"""Pairs of prompts whose vectors are in memory at a time."""

ReadVectors = Callable[[pl.Series], Iterator[tuple[pl.Series, FloatArray]]]
PAIRS = pl.Schema({"text_id": pl.String(), "next_text_id": pl.String()})
SIMILAR = pl.Schema(PAIRS | {"cosine": pl.Float64(), "shared_words": pl.Float64()})


def find_similar(pairs: pl.DataFrame, texts: pl.DataFrame, readers: list[ReadVectors]) -> pl.DataFrame:
    """Those of the distinct PAIRS that say nearly the same, with cosine and shared_words (SIMILAR).

    ``texts`` has text_id and text. A reader gives the vectors of one model: those of two texts are compared if one
    model read both. Equal texts have the cosine 1 without a vector.
    """
    is_same = pl.col("text_id") == pl.col("next_text_id")
    same = pairs.filter(is_same).unique("text_id").with_columns(cosine=1.0, shared_words=1.0)
    others = pairs.filter(~is_same).unique(maintain_order=True)
    found = [SIMILAR.to_frame(), same.select(SIMILAR.names())]
    for block in others.iter_slices(BLOCK_PAIRS):
        near = _measure_cosines(block, readers).filter(pl.col("cosine") >= MIN_COSINE)
        found.append(near)
    return _keep_with_shared_words(pl.concat(found, how="diagonal"), texts)


def _measure_cosines(pairs: pl.DataFrame, readers: list[ReadVectors]) -> pl.DataFrame:
    """The pairs that one model read both texts of, with their cosine: the highest, if several did."""
    wanted = pl.concat([pairs["text_id"], pairs["next_text_id"].rename("text_id")]).unique()
    measured = []
    for read in readers:
        batches = list(read(wanted))
        if not batches:
            continue
        vectors = normalize_rows(np.vstack([vectors for _, vectors in batches]))
        places = pl.DataFrame({"text_id": pl.concat([ids for ids, _ in batches])}).with_row_index("place")
        known = pairs.join(places, on="text_id").join(
            places.select(next_text_id="text_id", next_place="place"), on="next_text_id"
        )
        cosines = np.einsum("ij,ij->i", vectors[known["place"].to_numpy()], vectors[known["next_place"].to_numpy()])
        measured.append(known.select(PAIRS.names()).with_columns(cosine=pl.Series(cosines, dtype=pl.Float64)))
    if not measured:
        return SIMILAR.to_frame().drop("shared_words")
    return pl.concat(measured).group_by(PAIRS.names(), maintain_order=True).agg(pl.max("cosine"))


def _keep_with_shared_words(near: pl.DataFrame, texts: pl.DataFrame) -> pl.DataFrame:
    """The pairs that share enough words."""
    words = _list_words(texts.select("text_id", "text").unique("text_id"))
    weights = words.group_by("word").agg(weight=(pl.lit(texts["text_id"].n_unique() + 1) / pl.len()).log())
    weighed = words.join(weights, on="word")
    totals = weighed.group_by("text_id").agg(total=pl.sum("weight"))
    shared = (
        near.filter(pl.col("shared_words").is_null())
        .select(PAIRS.names())
        .join(weighed, on="text_id")
        .join(words.select(next_text_id="text_id", word="word"), on=["next_text_id", "word"], how="semi")
        .group_by(PAIRS.names())
        .agg(shared=pl.sum("weight"))
    )
    measured = (
        near.join(shared, on=PAIRS.names(), how="left")
        .join(totals, on="text_id", how="left")
        .join(totals.select(next_text_id="text_id", next_total="total"), on="next_text_id", how="left")
    )
    share = pl.col("shared") / pl.min_horizontal("total", "next_total")
    with_share = measured.with_columns(shared_words=pl.coalesce("shared_words", share))
    return with_share.filter(pl.col("shared_words") >= MIN_SHARED_WORDS).select(SIMILAR.names())


def _list_words(texts: pl.DataFrame) -> pl.DataFrame:
    """Columns text_id and word, each once, in lower case."""
    words = pl.col("text").str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+").list.unique()
    return texts.select("text_id", words.alias("word")).explode("word").drop_nulls("word")

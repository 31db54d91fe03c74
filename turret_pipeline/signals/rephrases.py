"""Prompts that say nearly the same as the one before: by the words they share, and by the cosine of their vectors.

Words come first, because they need no vectors, and few pairs share enough of them.
"""

from collections.abc import Callable, Iterable, Iterator

import numpy as np
import polars as pl

from turret_pipeline.signals.threads import map_batches
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.embedding.embedding import normalize_rows

MIN_COSINE = 0.72
MIN_SHARED_WORDS = 0.7
"""Share of the words of the shorter prompt that the other has, where each word weighs its inverse document frequency:
what a template has in common with all other prompts says little."""

BLOCK_PAIRS = 250_000
"""Pairs of prompts whose vectors are in memory at a time."""

MERGED_WORDS = 5_000_000
"""Rows of counts of words that are merged at a time."""

ReadVectors = Callable[[pl.Series], Iterator[tuple[pl.Series, FloatArray]]]
PAIRS = pl.Schema({"text_id": pl.String(), "next_text_id": pl.String()})
SIMILAR = pl.Schema(PAIRS | {"cosine": pl.Float64(), "shared_words": pl.Float64()})
WEIGHTS = pl.Schema({"word": pl.UInt64(), "weight": pl.Float64()})


def weigh_words(texts: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Columns word, the hash of a word in lower case, and weight: its inverse document frequency (WEIGHTS).

    ``texts`` have the column text, with each distinct text once.
    """
    counts = [pl.DataFrame(schema={"word": pl.UInt64(), "count": pl.UInt32()})]
    text_count = 0
    for batch_count, batch_words in map_batches(lambda batch: (batch.height, _count_words(batch)), texts):
        text_count += batch_count
        counts.append(batch_words)
        if sum(frame.height for frame in counts) > MERGED_WORDS + counts[0].height:
            counts = [_merge_counts(counts)]
    return _merge_counts(counts).select("word", weight=(pl.lit(text_count + 1) / pl.col("count")).log())


def _count_words(texts: pl.DataFrame) -> pl.DataFrame:
    words = texts.select(word=_list_words("text")).explode("word").drop_nulls()
    return words.group_by("word").agg(count=pl.len())


def _merge_counts(counts: list[pl.DataFrame]) -> pl.DataFrame:
    return pl.concat(counts).group_by("word").agg(pl.sum("count"))


def _list_words(column: str) -> pl.Expr:
    """Hashes of the distinct words of a text, in lower case."""
    words = pl.col(column).str.to_lowercase().str.extract_all(r"[\p{L}\p{N}]+")
    return words.list.eval(pl.element().hash()).list.unique()


def find_similar(pairs: Iterable[pl.DataFrame], weights: pl.DataFrame, readers: list[ReadVectors]) -> pl.DataFrame:
    """Those of the distinct pairs that say nearly the same, with cosine and shared_words (SIMILAR).

    ``pairs`` have text_id, next_text_id, text and next_text, and ``weights`` are those of ``weigh_words``. A reader
    gives the vectors of one model: those of two texts are compared if one model read both. Equal texts have the cosine
    1 without a vector.
    """
    measured = map_batches(lambda batch: _measure_shared_words(batch, weights), pairs)
    shared = pl.concat([SIMILAR.to_frame().drop("cosine"), *measured])
    is_same = pl.col("text_id") == pl.col("next_text_id")
    found = [shared.filter(is_same).with_columns(cosine=1.0).select(SIMILAR.names())]
    for block in shared.filter(~is_same).sort(PAIRS.names()).iter_slices(BLOCK_PAIRS):
        near = _measure_cosines(block.select(PAIRS.names()), readers).filter(pl.col("cosine") >= MIN_COSINE)
        found.append(near.join(block, on=PAIRS.names(), maintain_order="left").select(SIMILAR.names()))
    return pl.concat(found)


def _measure_shared_words(pairs: pl.DataFrame, weights: pl.DataFrame) -> pl.DataFrame:
    """The pairs that share enough words, with shared_words. Equal texts share all of them."""
    is_same = pl.col("text_id") == pl.col("next_text_id")
    same = pairs.filter(is_same).select(*PAIRS.names(), shared_words=pl.lit(1.0))
    lists = {"one": _list_words("text"), "other": _list_words("next_text")}
    words = pairs.filter(~is_same).select(*PAIRS.names(), **lists)
    words = words.with_columns(both=pl.col("one").list.set_intersection("other"))
    words = words.filter(pl.col("both").list.len() > 0).with_row_index("pair")
    one, other, both = (_sum_weights(words, column, weights) for column in ("one", "other", "both"))
    measured = words.select("pair", *PAIRS.names()).join(both, on="pair").join(one, on="pair").join(other, on="pair")
    share = pl.col("both") / pl.min_horizontal("one", "other")
    others = measured.with_columns(shared_words=share).filter(pl.col("shared_words") >= MIN_SHARED_WORDS)
    return pl.concat([same, others.select(same.columns)])


def _sum_weights(words: pl.DataFrame, column: str, weights: pl.DataFrame) -> pl.DataFrame:
    """Columns pair, and the sum of the weights of a list of words."""
    listed = words.select("pair", word=column).explode("word")
    return listed.join(weights, on="word").group_by("pair").agg(pl.sum("weight").alias(column))


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

"""What a segment speaks of more, or less, than the rest: every topic against every value of the enum fields."""

import numpy as np
import polars as pl
import scipy.sparse as sp
from numpy.typing import NDArray

from turret_pipeline.comparison import Comparison, Pairs, compare_shares, design_effects, pairs_within, q_values
from turret_pipeline.tables import TOPIC_SEGMENTS
from turret_pipeline.topics.arrays import IntArray
from turret_pipeline.topics.occurrences import count_matrix, dense

MIN_EVENTS, MIN_CLUSTERS = 10, 5
"""Events, and users (or sessions without a user), that must have a value, and others: less says nothing of a group."""


def topic_segments(occurrences: pl.DataFrame, values: pl.DataFrame, min_clusters: int = MIN_CLUSTERS) -> pl.DataFrame:
    """Table ``topic_segments`` from occurrences and the values of the enum fields (event_id, field, value).

    Blank values are no segment. The q-values of a text field are of one family: all its topics, fields and values.
    """
    segments = values.filter(pl.col("value").str.strip_chars() != "").rename(
        {"field": "segment_field", "value": "segment_value"}
    )
    tables = [TOPIC_SEGMENTS.empty()]
    for _, of_text in occurrences.sort("field", "event_id").group_by("field", maintain_order=True):
        both = of_text.join(segments, on="event_id", maintain_order="left_right")
        parts = both.sort("segment_field", maintain_order=True).group_by("segment_field", maintain_order=True)
        compared = [_compared(part, max(min_clusters, MIN_CLUSTERS)) for _, part in parts]
        if compared:
            family = pl.concat(compared)
            tables.append(family.with_columns(pl.Series("q_value", q_values(family["p_value"].to_numpy()))))
    return pl.concat([table.select(TOPIC_SEGMENTS.schema.names()) for table in tables])


def _compared(both: pl.DataFrame, min_clusters: int) -> pl.DataFrame:
    """Every topic of a text field against every value of one segment field; both are on each event of ``both``."""
    topics, topic = dense(both["topic_id"])
    values, value = dense(both["segment_value"])
    clusters, cluster = dense(both["cluster_id"])
    sessions, session = dense(both["session_id"])
    kept = np.flatnonzero(_is_comparable(count_matrix(cluster, value, (len(clusters), len(values))), min_clusters))
    values, value = values.gather(kept), _renumbered(value, kept)
    inside = count_matrix(topic, value, (len(topics), len(kept))).toarray()
    total = np.bincount(value[value >= 0], minlength=len(kept))[None, :]
    elsewhere = np.bincount(topic[topic >= 0], minlength=len(topics))[:, None] - inside
    by_session = _pairs(session, len(sessions), topic, len(topics), value, len(kept))
    by_cluster = _pairs(cluster, len(clusters), topic, len(topics), value, len(kept))
    effects = design_effects(by_session, by_cluster - by_session)
    found = compare_shares(inside, total, elsewhere, both.height - total, effects, max(len(clusters) - 1, 1))
    return _rows(both, topics, values, found).with_columns(
        pl.Series("event_count", inside.ravel().astype(np.int64)),
        pl.Series("share_in_segment", (inside / total).ravel()),
        pl.Series("share_elsewhere", (elsewhere / (both.height - total)).ravel()),
    )


def _pairs(
    cluster: IntArray, cluster_count: int, topic: IntArray, topic_count: int, value: IntArray, value_count: int
) -> Pairs:
    """Pairs of events in one cluster: what is counted are the topics, the groups are the values."""
    counts = count_matrix(cluster, topic, (cluster_count, topic_count))
    groups = count_matrix(cluster, value, (cluster_count, value_count))
    sizes = np.bincount(cluster, minlength=cluster_count).astype(np.float64)
    totals = np.asarray(counts.sum(axis=0), dtype=np.float64).reshape(1, -1)
    return pairs_within(counts, groups, sizes[:, None], totals)


def _is_comparable(groups: sp.csr_matrix, min_clusters: int) -> NDArray[np.bool_]:
    """Whether enough events and clusters have a value, and enough do not, shape (values,)."""
    entries, sizes = groups.tocoo(), np.asarray(groups.sum(axis=1)).ravel()
    events = np.asarray(groups.sum(axis=0)).ravel()
    clusters = np.bincount(entries.col, minlength=groups.shape[1])
    entire = np.bincount(entries.col[entries.data == sizes[entries.row]], minlength=groups.shape[1])
    enough_events = np.minimum(events, sizes.sum() - events) >= MIN_EVENTS
    return np.asarray(enough_events & (np.minimum(clusters, len(sizes) - entire) >= min_clusters))


def _renumbered(codes: IntArray, kept: IntArray) -> IntArray:
    """The position of every code among those kept, -1 for the others."""
    positions = np.full(max(int(codes.max(initial=-1)), int(kept.max(initial=-1))) + 2, -1)
    positions[kept] = np.arange(len(kept))
    return positions[codes]


def _rows(both: pl.DataFrame, topics: pl.Series, values: pl.Series, found: Comparison) -> pl.DataFrame:
    """One row per topic and value, with what was found and the sessions."""
    pairs = topics.to_frame().join(values.to_frame(), how="cross", maintain_order="left_right")
    sessions = both.group_by("topic_id", "segment_value").agg(
        pl.col("session_id").n_unique().cast(pl.Int64).alias("session_count")
    )
    return pairs.join(
        sessions, on=["topic_id", "segment_value"], how="left", validate="1:1", maintain_order="left"
    ).with_columns(
        pl.lit(both["field"][0]).alias("field"),
        pl.lit(both["segment_field"][0]).alias("segment_field"),
        pl.col("session_count").fill_null(0),
        pl.Series("difference", found.difference.ravel()),
        pl.Series("difference_low", found.low.ravel()),
        pl.Series("difference_high", found.high.ravel()),
        pl.Series("p_value", found.p_value.ravel()),
    )

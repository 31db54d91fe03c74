"""Differences between segments: the share of each topic in each value of the enum fields, and elsewhere."""

import polars as pl

from turret_pipeline.stats.groups import MIN_CLUSTERS, compare_groups
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import TOPIC_SEGMENTS
from turret_pipeline.topics.insights.occurrences import factorize


def topic_segments(occurrences: pl.DataFrame, values: pl.DataFrame, min_clusters: int = MIN_CLUSTERS) -> pl.DataFrame:
    """Table ``topic_segments``.

    ``occurrences`` has OCCURRENCES_SCHEMA, ``values`` the values of the enum fields (event_id, field, value). Blank
    values are left out. The tests of a text field, over all topics, enum fields and values, are one family of q-values.
    """
    segments = values.filter(pl.col("value").str.strip_chars() != "").rename(
        {"field": "segment_field", "value": "segment_value"}
    )
    tables = [TOPIC_SEGMENTS.empty()]
    for _, of_field in occurrences.sort("field", "event_id").group_by("field", maintain_order=True):
        both = of_field.join(segments, on="event_id", maintain_order="left_right")
        parts = both.sort("segment_field", maintain_order=True).group_by("segment_field", maintain_order=True)
        compared = [_compare_values(part, min_clusters) for _, part in parts]
        if compared:
            family = pl.concat(compared)
            tables.append(family.with_columns(pl.Series("q_value", q_values(family["p_value"].to_numpy()))))
    return pl.concat([table.select(TOPIC_SEGMENTS.schema.names()) for table in tables])


def _compare_values(both: pl.DataFrame, min_clusters: int) -> pl.DataFrame:
    """Each topic of a text field in each value of one segment field, from the events that have both fields."""
    topics, topic = factorize(both["topic_id"])
    values, value = factorize(both["segment_value"])
    clusters = [factorize(both[name])[1] for name in ("session_id", "cluster_id")]
    shares = compare_groups(topic, value, clusters, min_clusters)
    pairs = topics.to_frame().join(values.gather(shares.groups).to_frame(), how="cross", maintain_order="left_right")
    sessions = both.group_by("topic_id", "segment_value").agg(
        pl.col("session_id").n_unique().cast(pl.Int64).alias("session_count")
    )
    return pairs.join(
        sessions, on=["topic_id", "segment_value"], how="left", validate="1:1", maintain_order="left"
    ).with_columns(
        pl.lit(both["field"][0]).alias("field"),
        pl.lit(both["segment_field"][0]).alias("segment_field"),
        pl.col("session_count").fill_null(0),
        pl.Series("event_count", shares.count.ravel()),
        pl.Series("share_in_segment", shares.share.ravel()),
        pl.Series("share_elsewhere", shares.other_share.ravel()),
        pl.Series("difference", shares.comparison.difference.ravel()),
        pl.Series("difference_low", shares.comparison.low.ravel()),
        pl.Series("difference_high", shares.comparison.high.ravel()),
        pl.Series("p_value", shares.comparison.p_value.ravel()),
    )

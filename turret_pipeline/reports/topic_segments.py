"""Share of a topic in each segment of a scope, compared with the rest of the scope."""

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.reports.node_numbers import number_of
from turret_pipeline.reports.topic_figures import TopicField
from turret_pipeline.stats.groups import MIN_CLUSTERS, MIN_EVENTS
from turret_pipeline.stats.pair_sums import PairSums, compare_pairs
from turret_pipeline.stats.shares import q_values

_CELLS = """
with of_sessions as (
    select session_number, cluster, (count(*) filter (topic = {topic}))::double as count, count(*)::double as total
    from ({units}) group by session_number, cluster
),
cells as (
    select field, value, cluster, sum(count) as count, sum(total) as total
    from of_sessions join (select field, value, session_number from numbered.session_values) using (session_number)
    group by field, value, cluster
),
clusters as (
    select field, cluster, sum(count) as field_count, sum(total) as field_total from cells group by field, cluster
),
wholes as (
    select field, count(*) as field_clusters, count(*) filter (field_count > 0) as topic_clusters,
        sum(field_count) as all_count, sum(field_total) as all_total,
        sum(field_count * field_count) as all_00, sum(field_count * field_total) as all_02,
        sum(field_total * field_total) as all_22
    from clusters group by field
)
select field as segment_field, value as segment_value, sum(count) as count, sum(total) as total,
    count(*) filter (count > 0 and cluster >= 0) as user_count, count(*) as clusters,
    count(*) filter (total = field_total) as clusters_within,
    sum(count * count) as own_00, sum(count * total) as own_02, sum(total * total) as own_22,
    sum(count * field_count) as cross_00, sum(count * field_total) as cross_02, sum(total * field_count) as cross_20,
    sum(total * field_total) as cross_22, any_value(columns(wholes.* exclude (field)))
from cells join clusters using (field, cluster) join wholes using (field)
group by field, value order by field, value
"""


def compare_segments(
    connection: duckdb.DuckDBPyConnection, field: TopicField, topic_id: str, min_users: int
) -> pl.DataFrame:
    """A row per segment that can be compared: share of the topic in it, and elsewhere, with interval and q-value.

    Segments are those of sessions (``marts.session_values``), and the columns those of ``topic_segments``. A segment
    and the rest need MIN_EVENTS exchanges or events and MIN_CLUSTERS users each, as there. The q-values are over the
    segments of this topic and scope.
    """
    sums: pl.DataFrame = connection.sql(_CELLS.format(topic=number_of(topic_id), units=field.units())).pl()
    outside = pl.col("all_total") - pl.col("total")
    enough = (pl.min_horizontal("total", outside) >= MIN_EVENTS) & (
        pl.min_horizontal("clusters", pl.col("field_clusters") - pl.col("clusters_within")) >= MIN_CLUSTERS
    )
    kept = sums.filter(enough & (pl.col("count") > 0))
    if min_users > 1:
        kept = kept.filter(pl.col("user_count") >= min_users)
    found = compare_pairs(_to_pairs(kept))
    return kept.select(
        "segment_field",
        "segment_value",
        pl.col("count").cast(pl.Int64).alias("event_count"),
        pl.col("total").cast(pl.Int64).alias("segment_count"),
        (pl.col("count") / pl.col("total")).alias("share_in_segment"),
        ((pl.col("all_count") - pl.col("count")) / outside).alias("share_elsewhere"),
        pl.Series("difference", found.difference, pl.Float64),
        pl.Series("difference_low", found.low, pl.Float64),
        pl.Series("difference_high", found.high, pl.Float64),
        pl.Series("q_value", q_values(found.p_value), pl.Float64).fill_nan(None),
    )


def _to_pairs(sums: pl.DataFrame) -> PairSums:
    """The segment is the first side, the rest the second; sums over the rest follow from those of the whole."""
    values = {name: sums[name].cast(pl.Float64).to_numpy() for name in sums.columns[2:]}
    own, cross, whole = (
        {name[-2:]: values[name] for name in values if name.startswith(part)} for part in ("own_", "cross_", "all_")
    )
    products = np.empty((sums.height, 4, 4))
    for one, two, key, mirrored in ((0, 0, "00", "00"), (0, 2, "02", "20"), (2, 2, "22", "22")):
        products[:, one, two] = own[key]
        products[:, one, two + 1] = cross[key] - own[key]
        products[:, one + 1, two] = cross[mirrored] - own[key]
        products[:, one + 1, two + 1] = whole[key] - cross[key] - cross[mirrored] + own[key]
    for one in range(4):
        for two in range(one):
            products[:, one, two] = products[:, two, one]
    parts = (
        values["count"],
        values["all_count"] - values["count"],
        values["total"],
        values["all_total"] - values["total"],
    )
    return PairSums(np.stack(parts, axis=1), products, sums["topic_clusters"].to_numpy())

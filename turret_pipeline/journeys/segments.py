"""Where a segment moves on differently: every edge against every value of the enum fields."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.comparison import MIN_CLUSTERS, IntArray, compare_groups, q_values
from turret_pipeline.journeys.edges import EDGE, transitions
from turret_pipeline.tables import JOURNEY_SEGMENTS


def journey_segments(
    visits: pl.DataFrame, values: pl.DataFrame, edges: pl.DataFrame, min_clusters: int = MIN_CLUSTERS
) -> pl.DataFrame:
    """Table ``journey_segments`` from visits in order, values of the enum fields, and the ``edges`` that are shown.

    ``values`` has position (as in the visits), segment_field and segment_value. Blank values are no segment. The
    q-values of a dimension are of one family: all its edges, fields and values.
    """
    steps = transitions(visits).with_columns(
        _codes(pl.col("session_id")).alias("session"),
        _codes(pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))).alias(
            "cluster"
        ),
    )
    segments = values.filter(pl.col("segment_value").str.strip_chars() != "")
    tables = [JOURNEY_SEGMENTS.empty()]
    for (dimension,), part in steps.group_by("dimension", maintain_order=True):
        compared = list(_compared(part.drop("session_id", "user_id", "seconds"), segments, min_clusters))
        if compared:
            family = pl.concat(compared).with_columns(pl.lit(dimension).alias("dimension"))
            shown = family.join(edges.select(EDGE), on=EDGE, how="semi")
            tables.append(shown.with_columns(pl.Series("q_value", q_values(shown["p_value"].to_numpy()))))
    found = pl.concat([table.select(JOURNEY_SEGMENTS.schema.names()) for table in tables])
    return found.sort(JOURNEY_SEGMENTS.key)


def _codes(name: pl.Expr) -> pl.Expr:
    return name.cast(pl.Categorical).to_physical()


def _compared(steps: pl.DataFrame, segments: pl.DataFrame, min_clusters: int) -> Iterator[pl.DataFrame]:
    for (field,), of_field in segments.sort("segment_field").group_by("segment_field", maintain_order=True):
        both = steps.join(of_field, on="position")
        for (source,), leaving in both.group_by("from_node_id"):
            rows = _of_node(leaving, min_clusters)
            if rows is not None:
                yield rows.with_columns(pl.lit(source).alias("from_node_id"), pl.lit(field).alias("segment_field"))


def _of_node(leaving: pl.DataFrame, min_clusters: int) -> pl.DataFrame | None:
    """Every node that follows against every value; None where no value can be compared."""
    targets, target = _numbered(leaving["to_node_id"])
    names, value = _numbered(leaving["segment_value"])
    clusters = [_numbered(leaving[name])[1] for name in ("session", "cluster")]
    shares = compare_groups(target, value, clusters, min_clusters)
    if not len(shares.groups):
        return None
    pairs = targets.to_frame().join(names.gather(shares.groups).to_frame(), how="cross", maintain_order="left_right")
    return pairs.with_columns(
        pl.Series("transition_count", shares.count.ravel()),
        pl.Series("probability_in_segment", shares.share.ravel()),
        pl.Series("probability_elsewhere", shares.other_share.ravel()),
        pl.Series("difference", shares.found.difference.ravel()),
        pl.Series("difference_low", shares.found.low.ravel()),
        pl.Series("difference_high", shares.found.high.ravel()),
        pl.Series("p_value", shares.found.p_value.ravel()),
    )


def _numbered(column: pl.Series) -> tuple[pl.Series, IntArray]:
    """The distinct values in order, and the position of every value among them; there is no null."""
    if column.dtype == pl.String:
        names = column.unique().sort()
        return names, column.cast(pl.Enum(names)).to_physical().cast(pl.Int64).to_numpy()
    numbers, positions = np.unique(column.to_numpy(), return_inverse=True)
    return pl.Series(column.name, numbers), positions

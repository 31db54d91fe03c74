"""Where a segment moves on differently: every edge against every value of the enum fields."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import may_be_told
from turret_pipeline.journeys.edges import EDGE
from turret_pipeline.journeys.transitions import Transitions, transitions
from turret_pipeline.journeys.visits import PACKED, numbered, of_each_dimension
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import JOURNEY_SEGMENTS, USER


def journey_segments(
    visits: pl.DataFrame, values: pl.DataFrame, edges: pl.DataFrame, min_users: int = 1
) -> pl.DataFrame:
    """Table ``journey_segments`` from visits in order, values of the enum fields, and the ``edges`` that are shown.

    ``values`` has position (as in the visits), segment_field and segment_value. Blank values are no segment. Rows
    of fewer than ``min_users`` users are left out, and those that would give such ones away. The q-values of a
    dimension are of one family: all its edges, fields and values.
    """
    fields = list(_by_position(values))
    tables = [JOURNEY_SEGMENTS.empty()]
    for dimension, part in of_each_dimension(visits):
        levels = ["cluster"] if dimension.startswith(USER) else ["session", "cluster"]
        compared = list(compared_edges(transitions(part), fields, levels, min_users))
        if compared:
            family = pl.concat(compared).with_columns(pl.lit(dimension).alias("dimension"))
            shown = family.join(edges.select(EDGE), on=EDGE, how="semi")
            tables.append(shown.with_columns(pl.Series("q_value", q_values(shown["p_value"].to_numpy()))))
    found = pl.concat([table.select(JOURNEY_SEGMENTS.schema.names()) for table in tables])
    return found.sort(JOURNEY_SEGMENTS.key)


def _by_position(values: pl.DataFrame) -> Iterator[tuple[str, pl.Series, IntArray]]:
    """Each enum field, its values in order, and the number of the value at each position, -1 where there is none."""
    fields, field = numbered(values["segment_field"])
    for number, name in enumerate(fields):
        of_field = values.filter(field == number)
        names, value = numbered(of_field["segment_value"])
        is_blank = (names.str.strip_chars() == "").to_numpy()
        at = np.full(int(of_field["position"].to_numpy().max(initial=-1)) + 1, -1, np.int32)
        at[of_field["position"].to_numpy()] = np.where(is_blank, -1, np.arange(len(names)))[value.to_numpy()]
        yield name, names, at


def compared_edges(
    found: Transitions, fields: list[tuple[str, pl.Series, IntArray]], levels: list[str], min_users: int
) -> Iterator[pl.DataFrame]:
    """For each node and field: every edge from the node against every value, with ``p_value`` in place of a q-value.

    A field is its name, its values, and the number of the value at each position, -1 where there is none. Of
    ``levels`` the last is the cluster.
    """
    source = found.edges["source"].gather(found.moves["edge"]).cast(pl.UInt64)
    order = (source * PACKED + pl.int_range(len(source), dtype=pl.UInt64, eager=True)).sort() % PACKED
    moves = found.moves.select(pl.col("edge", "position", *levels).gather(order))
    bounds = np.searchsorted(source.gather(order).to_numpy(), np.arange(len(found.nodes) + 1))
    target = found.edges["target"].to_numpy()
    for number, source_id in enumerate(found.nodes):
        leaving = moves.slice(bounds[number], bounds[number + 1] - bounds[number])
        edge, position, *clusters = (leaving[name].to_numpy() for name in leaving.columns)
        for field, names, at in fields:
            value = np.where(position < len(at), at[position.clip(max=len(at) - 1)], -1)
            has = value >= 0
            within = [numbers[has] for numbers in clusters]
            user = np.where(within[-1] < found.user_count, within[-1].astype(np.int64), -1)
            rows = _of_node(target[edge[has]], value[has], within, user, min_users) if has.any() else None
            if rows is not None:
                yield rows.select(
                    pl.lit(source_id).alias("from_node_id"),
                    found.nodes.gather(rows["to"]).alias("to_node_id"),
                    pl.lit(field).alias("segment_field"),
                    names.gather(rows["value"]).alias("segment_value"),
                    pl.exclude("to", "value"),
                )


def _of_node(
    target: IntArray, value: IntArray, clusters: list[IntArray], user: IntArray, min_users: int
) -> pl.DataFrame | None:
    """Every node that follows against every value; None where no value can be compared."""
    targets, to = dense(target)
    shares = compare_groups(to, value, [dense(numbers)[1] for numbers in clusters], min_users)
    if not len(shares.groups):
        return None
    told = may_be_told(to, value, user, (len(targets), int(value.max()) + 1), min_users)[:, shares.groups]
    if min_users > 1:
        told &= shares.count > 0
    rows = pl.DataFrame(
        {
            "to": np.repeat(targets, len(shares.groups)),
            "value": np.tile(shares.groups, len(targets)),
            "transition_count": shares.count.ravel(),
            "probability_in_segment": shares.share.ravel(),
            "probability_elsewhere": shares.other_share.ravel(),
            "difference": shares.found.difference.ravel(),
            "difference_low": shares.found.low.ravel(),
            "difference_high": shares.found.high.ravel(),
            "p_value": shares.found.p_value.ravel(),
        }
    )
    return rows.filter(told.ravel())


def dense(numbers: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct numbers in order, and the place of each of ``numbers`` among them; none is negative."""
    is_there = np.bincount(numbers) > 0
    places = np.cumsum(is_there) - 1
    return np.flatnonzero(is_there), places[numbers]

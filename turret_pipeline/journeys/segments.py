"""Segments: transitions of sessions or events with a value of an enum field, compared with all other values."""

from collections.abc import Iterator

import numpy as np
import polars as pl

from turret_pipeline.journeys.disclosure import is_disclosable
from turret_pipeline.journeys.edges import EDGE
from turret_pipeline.journeys.transitions import Transitions, find_transitions
from turret_pipeline.journeys.visits import PACK_BASE, rank_names, split_by_dimension
from turret_pipeline.stats.array_types import IntArray
from turret_pipeline.stats.groups import compare_groups
from turret_pipeline.stats.shares import q_values
from turret_pipeline.tables import JOURNEY_SEGMENTS, USER


def journey_segments(
    visits: pl.DataFrame, values: pl.DataFrame, edges: pl.DataFrame, min_users: int = 1
) -> pl.DataFrame:
    """Table ``journey_segments`` from visits in order, values of enum fields, and the ``edges`` that are shown.

    ``values`` has position (as in the visits), segment_field and segment_value. Blank values are not compared. Rows of
    fewer than ``min_users`` users are left out, and rows that would reveal them. All edges, fields and values of a
    dimension are one family of q-values.
    """
    fields = list(_values_by_position(values))
    tables = [JOURNEY_SEGMENTS.empty()]
    for dimension, part in split_by_dimension(visits):
        levels = ["cluster"] if dimension.startswith(USER) else ["session", "cluster"]
        parts = list(compare_edges(find_transitions(part), fields, levels, min_users))
        if parts:
            family = pl.concat(parts).with_columns(pl.lit(dimension).alias("dimension"))
            shown = family.join(edges.select(EDGE), on=EDGE, how="semi")
            tables.append(shown.with_columns(pl.Series("q_value", q_values(shown["p_value"].to_numpy()))))
    segments = pl.concat([table.select(JOURNEY_SEGMENTS.schema.names()) for table in tables])
    return segments.sort(JOURNEY_SEGMENTS.key)


def _values_by_position(values: pl.DataFrame) -> Iterator[tuple[str, pl.Series, IntArray]]:
    """Each enum field: its name, its values in order, and the number of the value at each position, -1 without one."""
    fields, field = rank_names(values["segment_field"])
    for number, name in enumerate(fields):
        of_field = values.filter(field == number)
        names, value = rank_names(of_field["segment_value"])
        is_blank = (names.str.strip_chars() == "").to_numpy()
        at = np.full(int(of_field["position"].to_numpy().max(initial=-1)) + 1, -1, np.int32)
        at[of_field["position"].to_numpy()] = np.where(is_blank, -1, np.arange(len(names)))[value.to_numpy()]
        yield name, names, at


def compare_edges(
    transitions: Transitions, fields: list[tuple[str, pl.Series, IntArray]], levels: list[str], min_users: int
) -> Iterator[pl.DataFrame]:
    """Rows of ``journey_segments`` with ``p_value`` instead of a q-value, one frame per node that is left and field.

    A field is its name, its values, and the number of the value at each position, -1 without one. ``levels`` are the
    columns of ``transitions.moves`` that number dependent transitions, finest first; the last is the cluster.
    """
    source = transitions.edges["source"].gather(transitions.moves["edge"]).cast(pl.UInt64)
    order = (source * PACK_BASE + pl.int_range(len(source), dtype=pl.UInt64, eager=True)).sort() % PACK_BASE
    moves = transitions.moves.select(pl.col("edge", "position", *levels).gather(order))
    bounds = np.searchsorted(source.gather(order).to_numpy(), np.arange(len(transitions.nodes) + 1))
    target = transitions.edges["target"].to_numpy()
    for number, source_id in enumerate(transitions.nodes):
        leaving = moves.slice(bounds[number], bounds[number + 1] - bounds[number])
        edge, position, *clusters = (leaving[name].to_numpy() for name in leaving.columns)
        for field, names, at in fields:
            value = np.where(position < len(at), at[position.clip(max=len(at) - 1)], -1)
            has_value = value >= 0
            valued_clusters = [codes[has_value] for codes in clusters]
            user_or_session = valued_clusters[-1]
            user = np.where(user_or_session < transitions.user_count, user_or_session.astype(np.int64), -1)
            rows = (
                _compare_targets(target[edge[has_value]], value[has_value], valued_clusters, user, min_users)
                if has_value.any()
                else None
            )
            if rows is not None:
                yield rows.select(
                    pl.lit(source_id).alias("from_node_id"),
                    transitions.nodes.gather(rows["to"]).alias("to_node_id"),
                    pl.lit(field).alias("segment_field"),
                    names.gather(rows["value"]).alias("segment_value"),
                    pl.exclude("to", "value"),
                )


def _compare_targets(
    target: IntArray, value: IntArray, clusters: list[IntArray], user: IntArray, min_users: int
) -> pl.DataFrame | None:
    """One row per node that follows and value, for the moves from one node; None if no value can be compared."""
    targets, to = rank_codes(target)
    shares = compare_groups(to, value, [rank_codes(codes)[1] for codes in clusters], min_users)
    if not len(shares.groups):
        return None
    shape = (len(targets), int(value.max()) + 1)
    leaving = np.tile(np.bincount(value)[shares.groups], len(targets))
    is_shown = is_disclosable(to, value, user, shape, min_users)[:, shares.groups]
    if min_users > 1:
        is_shown &= shares.count > 0
    rows = pl.DataFrame(
        {
            "to": np.repeat(targets, len(shares.groups)),
            "value": np.tile(shares.groups, len(targets)),
            "transition_count": shares.count.ravel(),
            "leaving_count": leaving,
            "other_leaving_count": len(value) - leaving,
            "probability_in_segment": shares.share.ravel(),
            "probability_elsewhere": shares.other_share.ravel(),
            "difference": shares.comparison.difference.ravel(),
            "difference_low": shares.comparison.low.ravel(),
            "difference_high": shares.comparison.high.ravel(),
            "p_value": shares.comparison.p_value.ravel(),
        }
    )
    return rows.filter(is_shown.ravel())


def rank_codes(codes: IntArray) -> tuple[IntArray, IntArray]:
    """The distinct codes in order, and the rank of each of ``codes`` among them, from 0. Codes must not be negative."""
    is_present = np.bincount(codes) > 0
    ranks = np.cumsum(is_present) - 1
    return np.flatnonzero(is_present), ranks[codes]

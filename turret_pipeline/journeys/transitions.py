"""Transitions from each event to the next one, as numbers that are fast to count."""

from dataclasses import dataclass

import polars as pl

from turret_pipeline.journeys.visits import NAME, PACK_BASE, is_same_sequence, rank_names, total_seconds
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables import END, OTHER, START


@dataclass(frozen=True)
class Transitions:
    """The transitions of one dimension: one to each event, and one from the last event of each session to (end).

    ``nodes`` are the names of the nodes by number: visited nodes in order, then (start), (end) and (other). ``edges``
    has the numbers of both nodes of each edge, ``source`` and ``target``, in order.

    ``moves`` has one row per transition: ``edge``, the row in ``edges``; ``session``; ``cluster``, the number of the
    user, or of the session if the user is unknown; ``seconds``, null at (start) and (end); and ``position`` of the
    event that is left, or from (start) of the event that is entered. Numbers of clusters below ``user_count`` are
    users, all others are sessions.
    """

    nodes: pl.Series
    edges: pl.DataFrame
    moves: pl.DataFrame
    user_count: int


def find_transitions(visits: pl.DataFrame) -> Transitions:
    """The transitions of the visits of one dimension, in the order of the visits."""
    names, node = rank_names(visits["node_id"])
    cluster, user_count = cluster_codes(visits)
    start, end, size = len(names), len(names) + 1, len(names) + 3
    source, has_next = pl.col("source"), pl.col("has_next")
    at = visits.select(
        "event_at",
        "position",
        node.alias("source").cast(pl.UInt64),
        cluster,
        is_same_sequence(-1).alias("has_next"),
        (~is_same_sequence(1)).alias("is_first"),
        (~is_same_sequence(1)).cum_sum().alias("session"),
    )
    pause = total_seconds(pl.col("event_at").shift(-1) - pl.col("event_at"))
    leaving = at.select(
        (source * size + pl.when(has_next).then(source.shift(-1)).otherwise(end)).alias("edge"),
        "session",
        pl.when(has_next).then(pl.col("cluster").shift(-1)).otherwise("cluster").alias("cluster"),
        pl.when(has_next).then(pause).alias("seconds"),
        "position",
    )
    starting = at.filter("is_first").select(
        (start * size + source).alias("edge"),
        "session",
        "cluster",
        pl.lit(None, pl.Float64).alias("seconds"),
        "position",
    )
    nodes = pl.concat([names, pl.Series([START, END, OTHER])]).alias("node_id")
    return _number_edges(nodes, pl.concat([starting, leaving]), user_count)


def _number_edges(nodes: pl.Series, moves: pl.DataFrame, user_count: int) -> Transitions:
    """Transitions from rows whose ``edge`` is still source * number of nodes + target."""
    distinct, edge = moves["edge"].unique().sort(), pl.col("edge")
    edges = distinct.to_frame().select((edge // len(nodes)).alias("source"), (edge % len(nodes)).alias("target"))
    moves = moves.with_columns(distinct.search_sorted(moves["edge"]).alias("edge"))
    return Transitions(nodes, edges, moves, user_count)


def suppress_edges(transitions: Transitions, rare: pl.Series) -> Transitions:
    """Replace each transition on a ``rare`` edge by one to (other), which keeps its time, and one from (other)."""
    size, other = len(transitions.nodes), len(transitions.nodes) - 1
    keys = transitions.edges.select(pl.col("source") * size + pl.col("target")).to_series()
    moves = transitions.moves.with_columns(keys.gather(transitions.moves["edge"]).alias("edge"))
    is_rare, edge = transitions.moves["edge"].is_in(rare.implode()), pl.col("edge")
    rare_moves = moves.filter(is_rare)
    to_other = rare_moves.with_columns(edge // size * size + other)
    from_other = rare_moves.with_columns(
        (other * size + edge % size).alias("edge"), pl.lit(None, pl.Float64).alias("seconds")
    )
    kept_and_replaced = pl.concat([moves.filter(~is_rare), to_other, from_other])
    return _number_edges(transitions.nodes, kept_and_replaced, transitions.user_count)


def cluster_codes(visits: pl.DataFrame) -> tuple[pl.Series, int]:
    """The ``cluster`` of each visit, and the lowest number of a session.

    A cluster is a set of visits that depend on each other: those of one user, or of one session if the user is unknown.
    """
    user = visits["user_id"].cast(NAME).to_physical()
    first = int(user.fill_null(0).to_numpy().max(initial=0)) + 1
    session = pl.col("sequence_id").cast(NAME).to_physical() + pl.lit(first, pl.UInt32)
    return visits.select(pl.coalesce(user, session).alias("cluster")).to_series(), first


def count_pairs(number: pl.Series, other: pl.Series) -> pl.DataFrame:
    """Count of each pair of numbers below 2**32, in order: ``number``, ``other``, ``count``.

    Sorting both as one number takes a third of the time of grouping by two.
    """
    packed = (number.cast(pl.UInt64) * PACK_BASE + other).sort().rle().struct.unnest()
    return packed.select(
        (pl.col("value") // PACK_BASE).cast(pl.UInt32).alias("number"),
        (pl.col("value") % PACK_BASE).cast(pl.UInt32).alias("other"),
        pl.col("len").cast(pl.Int64).alias("count"),
    )


def clustered_shares(pairs: pl.DataFrame, source: pl.Series) -> pl.DataFrame:
    """Share of each item among the items of its source, with an interval that allows for clusters.

    ``pairs`` are ``count_pairs`` of items and clusters, ``source`` has the source of each item by number. Transitions
    of a cluster are dependent as far as the shares of clusters differ more than chance explains. One row per item, in
    order: ``number``, ``count``, ``share``, ``low``, ``high``.
    """
    counts = pairs.select("number", "count", "other", source.gather(pairs["number"]).cast(pl.UInt64).alias("source"))
    key = pl.col("source") * PACK_BASE + pl.col("other")
    totals = counts.group_by(key.alias("key")).agg(pl.col("count").sum().alias("total"))
    square = (pl.col("total").cast(pl.Float64) ** 2).sum().alias("total_squares")
    of_source = totals.group_by((pl.col("key") // PACK_BASE).alias("source")).agg(
        pl.col("total").sum().alias("whole"), square
    )
    count, total = pl.col("count").cast(pl.Float64), pl.col("total").cast(pl.Float64)
    sums = (
        counts.with_columns(key.alias("key"))
        .join(totals, on="key")
        .group_by("number", "source")
        .agg(pl.col("count").sum(), (count**2).sum().alias("squares"), (count * total).sum().alias("crossed"))
        .join(of_source, on="source")
        .sort("number")
    )
    parts = [sums[name].to_numpy() for name in ("count", "whole", "squares", "crossed", "total_squares")]
    low, high = share_interval(parts[0], parts[1], share_design_effects(*parts))
    return sums.select(
        "number",
        "count",
        (pl.col("count") / pl.col("whole")).alias("share"),
        pl.Series("low", low),
        pl.Series("high", high),
    )

"""Transitions: every event's way to the next, in numbers, for whatever is counted over them."""

from dataclasses import dataclass

import polars as pl

from turret_pipeline.journeys.visits import NAME, PACKED, numbered, same_as, seconds
from turret_pipeline.stats.effects import share_effects
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.tables import END, OTHER, START


@dataclass(frozen=True)
class Transitions:
    """The transitions of one dimension: each event is entered once, and each session ends once.

    ``nodes`` are the names of the nodes by their number: visited ones in order, then (start), (end) and (other).
    ``edges`` has the numbers of both nodes of each edge, ``source`` and ``target``, in their order.

    ``moves`` has a row for each transition: ``edge``, its row in ``edges``; ``session``; ``cluster``, what it hangs
    together with: its user, or its session where the user is not known; ``seconds``, null at (start) and (end);
    ``position`` of the event that it leaves, from (start) of the one entered. Clusters from ``user_count`` on are
    sessions.
    """

    nodes: pl.Series
    edges: pl.DataFrame
    moves: pl.DataFrame
    user_count: int


def transitions(visits: pl.DataFrame) -> Transitions:
    """The transitions of visits of one dimension, in their order."""
    names, node = numbered(visits["node_id"])
    cluster, user_count = clusters(visits)
    start, end, size = len(names), len(names) + 1, len(names) + 3
    source, goes_on = pl.col("source"), pl.col("goes_on")
    at = visits.select(
        "event_at",
        "position",
        node.alias("source").cast(pl.UInt64),
        cluster,
        same_as(-1).alias("goes_on"),
        (~same_as(1)).alias("is_first"),
        (~same_as(1)).cum_sum().alias("session"),
    )
    pause = seconds(pl.col("event_at").shift(-1) - pl.col("event_at"))
    left = at.select(
        (source * size + pl.when(goes_on).then(source.shift(-1)).otherwise(end)).alias("edge"),
        "session",
        pl.when(goes_on).then(pl.col("cluster").shift(-1)).otherwise("cluster").alias("cluster"),
        pl.when(goes_on).then(pause).alias("seconds"),
        "position",
    )
    began = at.filter("is_first").select(
        (start * size + source).alias("edge"),
        "session",
        "cluster",
        pl.lit(None, pl.Float64).alias("seconds"),
        "position",
    )
    return _numbered(
        pl.concat([names, pl.Series([START, END, OTHER])]).alias("node_id"), pl.concat([began, left]), user_count
    )


def _numbered(nodes: pl.Series, moves: pl.DataFrame, user_count: int) -> Transitions:
    """Transitions whose ``edge`` is still the number of the source times that of all nodes, plus that of the target."""
    found, edge = moves["edge"].unique().sort(), pl.col("edge")
    edges = found.to_frame().select((edge // len(nodes)).alias("source"), (edge % len(nodes)).alias("target"))
    return Transitions(nodes, edges, moves.with_columns(found.search_sorted(moves["edge"]).alias("edge")), user_count)


def folded(found: Transitions, rare: pl.Series) -> Transitions:
    """With each move on one of the edges ``rare`` replaced by one to (other), which keeps its time, and one from it."""
    size, other = len(found.nodes), len(found.nodes) - 1
    keys = found.edges.select(pl.col("source") * size + pl.col("target")).to_series()
    moves = found.moves.with_columns(keys.gather(found.moves["edge"]).alias("edge"))
    is_rare, edge = found.moves["edge"].is_in(rare.implode()), pl.col("edge")
    few = moves.filter(is_rare)
    to_other = few.with_columns(edge // size * size + other)
    from_other = few.with_columns((other * size + edge % size).alias("edge"), pl.lit(None, pl.Float64).alias("seconds"))
    return _numbered(found.nodes, pl.concat([moves.filter(~is_rare), to_other, from_other]), found.user_count)


def clusters(visits: pl.DataFrame) -> tuple[pl.Series, int]:
    """Number of each visit's user, or where it is not known of its session; and the number that sessions start from."""
    user = visits["user_id"].cast(NAME).to_physical()
    first = int(user.fill_null(0).to_numpy().max(initial=0)) + 1
    session = pl.col("sequence_id").cast(NAME).to_physical() + pl.lit(first, pl.UInt32)
    return visits.select(pl.coalesce(user, session).alias("cluster")).to_series(), first


def pair_counts(number: pl.Series, other: pl.Series) -> pl.DataFrame:
    """How often each pair of two numbers below 2**32 occurs, in their order: ``number``, ``other``, ``count``.

    Sorting both as one number takes a third of the time of grouping by two.
    """
    packed = (number.cast(pl.UInt64) * PACKED + other).sort().rle().struct.unnest()
    return packed.select(
        (pl.col("value") // PACKED).cast(pl.UInt32).alias("number"),
        (pl.col("value") % PACKED).cast(pl.UInt32).alias("other"),
        pl.col("len").cast(pl.Int64).alias("count"),
    )


def shares(of_clusters: pl.DataFrame, source: pl.Series) -> pl.DataFrame:
    """Share of each thing among those of its source, with its interval, from ``pair_counts`` of things and clusters.

    ``source`` has the source of each thing by its number. Transitions of a cluster depend on each other as far as the
    shares of clusters differ more than chance explains. One row per thing in their order: ``number``, ``count``,
    ``share``, ``low``, ``high``.
    """
    given = of_clusters.select(
        "number", "count", "other", source.gather(of_clusters["number"]).cast(pl.UInt64).alias("source")
    )
    key = pl.col("source") * PACKED + pl.col("other")
    totals = given.group_by(key.alias("key")).agg(pl.col("count").sum().alias("total"))
    square = (pl.col("total").cast(pl.Float64) ** 2).sum().alias("total_squares")
    of_source = totals.group_by((pl.col("key") // PACKED).alias("source")).agg(
        pl.col("total").sum().alias("whole"), square
    )
    count, total = pl.col("count").cast(pl.Float64), pl.col("total").cast(pl.Float64)
    sums = (
        given.with_columns(key.alias("key"))
        .join(totals, on="key")
        .group_by("number", "source")
        .agg(pl.col("count").sum(), (count**2).sum().alias("squares"), (count * total).sum().alias("crossed"))
        .join(of_source, on="source")
        .sort("number")
    )
    parts = [sums[name].to_numpy() for name in ("count", "whole", "squares", "crossed", "total_squares")]
    low, high = share_interval(parts[0], parts[1], share_effects(*parts))
    return sums.select(
        "number",
        "count",
        (pl.col("count") / pl.col("whole")).alias("share"),
        pl.Series("low", low),
        pl.Series("high", high),
    )

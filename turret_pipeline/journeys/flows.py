"""Flows: counts of sessions between the nodes of consecutive steps, over the first steps of sessions."""

import polars as pl

from turret_pipeline.tables import END, OTHER, START

FLOWS_SCHEMA = pl.Schema(
    {
        "step_number": pl.Int64(),
        "from_node_id": pl.String(),
        "from_node_count": pl.Int64(),
        "to_node_id": pl.String(),
        "session_count": pl.Int64(),
    }
)
"""One row per flow from a node of a step. ``from_node_count`` is 1, or for (other) the number of nodes in it.
``to_node_id`` is the node of the next step or (end), and null on the last step."""

MAX_STEPS, MAX_NODES, LEAST_SHARE = 5, 12, 0.05


def first_flows(
    steps: pl.LazyFrame, dimension: str, min_users: int = 1, max_steps: int = MAX_STEPS, max_nodes: int = MAX_NODES
) -> pl.DataFrame:
    """Flows of a dimension (FLOWS_SCHEMA) from ``journey_steps``, over the steps that LEAST_SHARE of sessions reach.

    Each step has its ``max_nodes`` largest nodes, and the rest as (other); the size of a node at the first step is the
    number of sessions that go on from it, if any do. As in edges, a flow of fewer than ``min_users`` users goes to
    (other), and continues from it. The user of a session is the user of its first step.
    """
    sessions = _first_nodes(steps, dimension, max_steps)
    reached = [sessions[str(step)].count() for step in range(1, max_steps + 1)]
    last = max((step for step, count in enumerate(reached, 1) if count > LEAST_SHARE * reached[0]), default=0)
    sessions = sessions.select("user_id", *(str(step) for step in range(last + 1)))
    node_counts = {
        step: (sessions if step > 1 else sessions.filter(_goes_on(sessions)))[str(step)].drop_nulls().n_unique()
        for step in range(1, last + 1)
    }
    for step in node_counts:
        sessions = _combine_small_nodes(sessions, step, max_nodes, min_users)
    tables = [_count_flows(sessions, step, node_counts[step], is_last=step == last) for step in node_counts]
    return pl.concat([pl.DataFrame(schema=FLOWS_SCHEMA), *tables])


def _first_nodes(steps: pl.LazyFrame, dimension: str, max_steps: int) -> pl.DataFrame:
    """One row per sequence: user_id, (start) as step 0, and the node of each of its first steps, null after its end."""
    number = pl.col("step_number")
    nodes = [pl.col("node_id").filter(number == step).first().alias(str(step)) for step in range(1, max_steps + 1)]
    sessions = (
        steps.filter((pl.col("dimension") == dimension) & (number <= max_steps))
        .group_by("sequence_id")
        .agg(pl.col("user_id").filter(number == 1).first(), pl.lit(START).alias("0"), *nodes)
        .drop("sequence_id")
    )
    return sessions.collect(engine="streaming")


def _goes_on(sessions: pl.DataFrame) -> pl.Expr:
    """True for sessions with a second step; if there are none, for all."""
    has_second = pl.col("2").is_not_null() & (pl.col("2") != END) if "2" in sessions.columns else pl.lit(value=False)
    return has_second if sessions.select(has_second.any()).item() else pl.col("1").is_not_null()


def _combine_small_nodes(sessions: pl.DataFrame, step: int, max_nodes: int, min_users: int) -> pl.DataFrame:
    """The sessions with one of the largest nodes, (other) or (end) on a step; null on steps after (end)."""
    before, name = str(step - 1), str(step)
    here = pl.col(name)
    is_counted = here.is_not_null() if step > 1 else _goes_on(sessions)
    sizes = sessions.group_by(name).agg(is_counted.sum().alias("size")).drop_nulls()
    sizes = sizes.sort("size", name, descending=[True, False])
    named = sizes if sizes.height <= max_nodes + 1 else sizes.head(max_nodes)  # (other) is never a single node
    combined = sessions.with_columns(
        pl.when(pl.col(before) != END)  # null if that is null
        .then(
            pl.when(here.is_null() | here.is_in(named[name].to_list()))
            .then(here.fill_null(END))
            .otherwise(pl.lit(OTHER))
        )
        .alias(name)
    )
    if min_users <= 1:
        return combined
    users = pl.col("user_id").drop_nulls().n_unique().over(before, name)
    return combined.with_columns(
        pl.when(here.is_not_null() & (users < min_users)).then(pl.lit(OTHER)).otherwise(here).alias(name)
    )


def _count_flows(sessions: pl.DataFrame, step: int, node_count: int, *, is_last: bool) -> pl.DataFrame:
    """The flows out of a step, largest first; ``node_count`` is its number of nodes before they were combined."""
    node, following = pl.col(str(step)), pl.lit(None, pl.String) if is_last else pl.col(str(step + 1))
    present = sessions.filter(node != END)
    counted = present.filter(_goes_on(present)) if step == 1 else present
    named_count = counted.filter(node != OTHER)[str(step)].n_unique()
    return (
        present.group_by(node.alias("from_node_id"), following.alias("to_node_id"))
        .agg(pl.len().cast(pl.Int64).alias("session_count"))
        .select(
            pl.lit(step, pl.Int64).alias("step_number"),
            "from_node_id",
            pl.when(pl.col("from_node_id") == OTHER)
            .then(node_count - named_count)
            .otherwise(1)
            .cast(pl.Int64)
            .alias("from_node_count"),
            "to_node_id",
            "session_count",
        )
        .sort("session_count", "from_node_id", "to_node_id", descending=[True, False, False])
    )

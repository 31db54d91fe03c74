"""Flows: how many sessions go from which node of a step to which of the next, over their first steps."""

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
"""One row per flow out of a node of a step. ``from_node_count`` is how many nodes (other) stands for, else 1;
``to_node_id`` is the node of the next step or (end), and null where that step is not told."""

MOST_STEPS, NODES, LEAST_SHARE = 5, 7, 0.05


def first_flows(
    steps: pl.LazyFrame, dimension: str, min_users: int = 1, most_steps: int = MOST_STEPS, nodes: int = NODES
) -> pl.DataFrame:
    """FLOWS_SCHEMA of a dimension from ``journey_steps``, over the first steps that LEAST_SHARE of its sessions reach.

    Each step shows its ``nodes`` largest, and the rest as (other). As in edges, a flow of fewer users than
    ``min_users`` is told as one to (other), and what follows as one from it. A session is of the user of its first
    step.
    """
    sessions = _first_nodes(steps, dimension, most_steps)
    reached = [sessions[str(step)].count() for step in range(1, most_steps + 1)]
    last = max((step for step, count in enumerate(reached, 1) if count > LEAST_SHARE * reached[0]), default=0)
    found = {step: sessions[str(step)].drop_nulls().n_unique() for step in range(1, last + 1)}
    for step in found:
        sessions = _told(sessions, step, nodes, min_users)
    tables = [_counted(sessions, step, found[step], is_last=step == last) for step in found]
    return pl.concat([pl.DataFrame(schema=FLOWS_SCHEMA), *tables])


def _first_nodes(steps: pl.LazyFrame, dimension: str, most_steps: int) -> pl.DataFrame:
    """A row per sequence: user_id, (start) as step 0, and the node of each of its first steps, null after its end."""
    number = pl.col("step_number")
    nodes = [pl.col("node_id").filter(number == step).first().alias(str(step)) for step in range(1, most_steps + 1)]
    sessions = (
        steps.filter((pl.col("dimension") == dimension) & (number <= most_steps))
        .group_by("sequence_id")
        .agg(pl.col("user_id").filter(number == 1).first(), pl.lit(START).alias("0"), *nodes)
        .drop("sequence_id")
    )
    return sessions.collect(engine="streaming")


def _told(sessions: pl.DataFrame, step: int, nodes: int, min_users: int) -> pl.DataFrame:
    """The sessions with what is told of a step: one of its largest nodes, (other) or (end); null after (end)."""
    before, name = str(step - 1), str(step)
    here = pl.col(name)
    sizes = sessions.group_by(name).len().drop_nulls().sort("len", name, descending=[True, False])
    shown = sizes if sizes.height <= nodes + 1 else sizes.head(nodes)  # the rest is never a single node
    told = sessions.with_columns(
        pl.when(pl.col(before) != END)  # null where that is null
        .then(
            pl.when(here.is_null() | here.is_in(shown[name].to_list()))
            .then(here.fill_null(END))
            .otherwise(pl.lit(OTHER))
        )
        .alias(name)
    )
    if min_users <= 1:
        return told
    users = pl.col("user_id").drop_nulls().n_unique().over(before, name)
    return told.with_columns(
        pl.when(here.is_not_null() & (users < min_users)).then(pl.lit(OTHER)).otherwise(here).alias(name)
    )


def _counted(sessions: pl.DataFrame, step: int, node_count: int, *, is_last: bool) -> pl.DataFrame:
    """The flows out of a step, largest first; ``node_count`` is how many nodes it has."""
    node, following = pl.col(str(step)), pl.lit(None, pl.String) if is_last else pl.col(str(step + 1))
    there = sessions.filter(node != END)
    shown = there.filter(node != OTHER)[str(step)].n_unique()
    return (
        there.group_by(node.alias("from_node_id"), following.alias("to_node_id"))
        .agg(pl.len().cast(pl.Int64).alias("session_count"))
        .select(
            pl.lit(step, pl.Int64).alias("step_number"),
            "from_node_id",
            pl.when(pl.col("from_node_id") == OTHER)
            .then(node_count - shown)
            .otherwise(1)
            .cast(pl.Int64)
            .alias("from_node_count"),
            "to_node_id",
            "session_count",
        )
        .sort("session_count", "from_node_id", "to_node_id", descending=[True, False, False])
    )

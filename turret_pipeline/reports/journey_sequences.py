"""The sessions behind a figure about journeys: which they are, and what they did."""

from collections.abc import Sequence

import duckdb
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.journey_scope import quote
from turret_pipeline.tables import END, START


def list_sequences(connection: duckdb.DuckDBPyConnection, selected: str) -> pl.DataFrame:
    """The sequences of the query ``selected`` (sequence_id), latest first.

    The frame has sequence_id, user_id, started_at and step_count. The connection is one of ``open_journeys``. A
    sequence without a step in the dimension has no step_count.
    """
    frame: pl.DataFrame = connection.sql(f"""
        with selected as (select distinct sequence_id from ({selected})),
        counts as (
            select sequence_id, max(step_number) as step_count from scoped_steps
            semi join selected using (sequence_id) group by sequence_id
        ),
        starts as (
            select session_id as sequence_id, user_id, started_at from marts.sessions
            semi join (select sequence_id as session_id from selected) using (session_id)
            union all
            select user_id, user_id, min(started_at) from scoped_sessions
            where user_id in (from selected) and user_id not in (select session_id from marts.sessions)
            group by user_id
        )
        select sequence_id, user_id, started_at, step_count
        from selected left join starts using (sequence_id) left join counts using (sequence_id)
        order by started_at desc, sequence_id
    """).pl()
    return frame


def select_visitors(node: str) -> str:
    """The query of the sequences that visit a node."""
    return f"select sequence_id from scoped_steps where node_id = {quote(node)}"


def select_movers(from_node: str, to_node: str) -> str:
    """The query of the sequences with a transition, also from (start), to (end), or from a node to itself."""
    if from_node == START:
        return f"select sequence_id from scoped_steps where step_number = 1 and node_id = {quote(to_node)}"
    if to_node == END:
        return f"select sequence_id from scoped_steps where next_node_id is null and node_id = {quote(from_node)}"
    if from_node == to_node:
        return f"select sequence_id from scoped_steps where node_id = {quote(from_node)} and event_count > 1"
    return (
        f"select sequence_id from scoped_steps where node_id = {quote(from_node)} and next_node_id = {quote(to_node)}"
    )


def select_followers(path: Sequence[str], *, is_whole_session: bool) -> str:
    """The query of the sequences with these steps in a row, or with no others. Raises TurretError without a node."""
    if not path:
        raise TurretError("The path is empty: name its nodes, with > between them.")
    if len(path) == 1 and not is_whole_session:
        return select_visitors(path[0])
    conditions = [f"node_id = {quote(path[0])}"]
    conditions += [f"{_ahead('node_id', ahead)} = {quote(node)}" for ahead, node in enumerate(path[1:], start=1)]
    if len(path) > 1:
        conditions.append(f"{_ahead('sequence_number', len(path) - 1)} = sequence_number")
    if is_whole_session:
        conditions += ["step_number = 1", f"{_ahead('sequence_number', len(path))} is distinct from sequence_number"]
    return f"select sequence_id from (from ordered_steps) qualify {' and '.join(conditions)}"


def select_at_step(step: int, node: str, named: Sequence[str]) -> str:
    """The query of the sequences on a node at a step; (end): those that have ended, (other): none of ``named``."""
    if node == END:
        return (
            "select sequence_id from scoped_sequences where sequence_id not in "
            f"(select sequence_id from scoped_steps where step_number = {int(step)})"
        )
    at = f"select sequence_id from scoped_steps where step_number = {int(step)}"
    if node in named:
        return f"{at} and node_id = {quote(node)}"
    return f"{at} and not list_contains([{', '.join(map(quote, named))}], node_id)"


def _ahead(column: str, distance: int) -> str:
    return f"lead({column}, {distance}) over ()"

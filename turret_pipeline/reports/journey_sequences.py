"""The sessions behind a figure about journeys: which they are, and what they did."""

from collections.abc import Sequence

import duckdb
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.node_numbers import number_of, numbers_of
from turret_pipeline.tables import END, START


def list_users(connection: duckdb.DuckDBPyConnection, selected: str) -> pl.DataFrame:
    """The users of the query ``selected`` (sequence), which is one of a dimension of users, latest first.

    The frame has user_id, started_at (of the first session in the scope) and step_count. The connection is one of
    ``open_journeys``. A user without a step in the dimension has no step_count.
    """
    frame: pl.DataFrame = connection.sql(f"""
        with selected as (select distinct sequence from ({selected})),
        counts as (
            select sequence, max(step_number) as step_count from scoped_steps
            where sequence in (from selected) group by sequence
        ),
        starts as (
            select user_number as sequence, min(started_at) as started_at from scoped_session_numbers
            where user_number in (from selected) group by user_number
        )
        select user_id, started_at, step_count
        from selected left join starts using (sequence) left join counts using (sequence)
        join numbered.users on user_number = sequence
        order by started_at desc, user_id
    """).pl()
    return frame


def select_visitors(node: str) -> str:
    """The query of the sequences that visit a node."""
    return f"select sequence from scoped_steps where node = {number_of(node)}"


def select_movers(from_node: str, to_node: str) -> str:
    """The query of the sequences with a transition, also from (start), to (end), or from a node to itself."""
    if from_node == START:
        return f"select sequence from scoped_steps where step_number = 1 and node = {number_of(to_node)}"
    if to_node == END:
        return f"select sequence from scoped_steps where next_node is null and node = {number_of(from_node)}"
    if from_node == to_node:
        return f"select sequence from scoped_steps where node = {number_of(from_node)} and event_count > 1"
    return f"select sequence from scoped_steps where node = {number_of(from_node)} and next_node = {number_of(to_node)}"


def select_followers(path: Sequence[str], *, is_whole_session: bool) -> str:
    """The query of the sequences with these steps in a row, or with no others. Raises TurretError without a node."""
    if not path:
        raise TurretError("The path is empty: name its nodes, with > between them.")
    if len(path) == 1 and not is_whole_session:
        return select_visitors(path[0])
    conditions = [f"node = {number_of(path[0])}"]
    conditions += [f"{_ahead('node', ahead)} = {number_of(node)}" for ahead, node in enumerate(path[1:], start=1)]
    if len(path) > 1:
        conditions.append(f"{_ahead('sequence', len(path) - 1)} = sequence")
    if is_whole_session:
        conditions += ["step_number = 1", f"{_ahead('sequence', len(path))} is distinct from sequence"]
    return f"select sequence from (from ordered_steps) qualify {' and '.join(conditions)}"


def select_at_step(step: int, node: str, named: Sequence[str]) -> str:
    """The query of the sequences on a node at a step; (end): those that have ended, (other): none of ``named``."""
    if node == END:
        return (
            "select sequence from scoped_sequences where sequence not in "
            f"(select sequence from scoped_steps where step_number = {int(step)})"
        )
    at = f"select sequence from scoped_steps where step_number = {int(step)}"
    if node in named:
        return f"{at} and node = {number_of(node)}"
    return f"{at} and node not in {numbers_of(named)}"


def _ahead(column: str, distance: int) -> str:
    return f"lead({column}, {distance}) over ()"

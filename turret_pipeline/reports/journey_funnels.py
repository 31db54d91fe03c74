"""Funnels of the sessions of a scope, counted in SQL (``journeys.funnel``).

The position of an event is its row in marts.events, which is in the order of events.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import CLUSTER, quote, quote_all, read_shares
from turret_pipeline.reports.node_names import Node
from turret_pipeline.tables import EVENT_NAME

Row = dict[str, object]


@dataclass(frozen=True)
class FunnelOptions:
    """Steps of a funnel, and what counts as a series of them.

    All steps happen within ``within_seconds`` of the first, and no event on an ``excluded`` node lies between the
    first and the last. ``is_of_users``: all events of a user are one sequence.
    """

    steps: tuple[Node, ...]
    is_any_order: bool = False
    within_seconds: float | None = None
    excluded: tuple[Node, ...] = ()
    is_of_users: bool = False


def define_funnel(connection: duckdb.DuckDBPyConnection, options: FunnelOptions) -> None:
    """Create the tables funnel_sequences and funnel_matches of a connection of ``open_scope``.

    funnel_sequences has all sessions (sequence_id, user_id, cluster, is_user). funnel_matches has those with the first
    step: sequence_id, and t0, t1 ..., the seconds to each step, null from the first step that is missed.
    """
    of_users = options.is_of_users
    sequences = (
        "select distinct user_id as sequence_id, user_id from scoped_sessions where user_id is not null"
        if of_users
        else "select session_id as sequence_id, user_id from scoped_sessions"
    )
    connection.execute(
        "create or replace temp table funnel_sequences as "
        f"select *, {CLUSTER} as cluster, user_id is not null as is_user from ({sequences})"
    )
    connection.execute(f"create or replace temp table funnel_hits as {_select_hits(options)}")
    match = _match_in_any_order if options.is_any_order else _match_in_order
    connection.execute(f"create or replace temp table funnel_matches as {match(options)}")


def read_funnel(connection: duckdb.DuckDBPyConnection, options: FunnelOptions) -> pl.DataFrame:
    """One row per step, with the columns of ``journeys.funnel.count_funnel`` after ``define_funnel``.

    Also total (all sessions), and design_effect and cluster_count of the share of step 1.
    """
    rows = [_read_step(connection, step, options) for step in range(len(options.steps))]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Null).cast(pl.Float64))


def select_funnel_sequences(step: int) -> str:
    """The query of the sequences that reach a step, from 0 (sequence_id), after ``define_funnel``."""
    return f"select sequence_id from funnel_matches where t{int(step)} is not null"


def _read_step(connection: duckdb.DuckDBPyConnection, step: int, options: FunnelOptions) -> Row:
    reached = _select_reached(step)
    rows: Row = {"step_number": step + 1}
    for name, base in (("all", "funnel_sequences"), ("first", "reached_first"), ("previous", "reached_previous")):
        if name != "all":
            earlier = 0 if name == "first" else max(step - 1, 0)
            connection.execute(f"create or replace temp table {base} as {_select_reached(earlier)}")
        found = read_shares(connection, f"select 1 as everyone, 1 as hits, * from ({reached})", ["everyone"], base)
        shares = found.row(0, named=True) if found.height else {}
        if name == "all":
            whole = connection.sql("select count(*) from funnel_sequences").fetchall()[0][0]
            rows |= {"session_count": shares.get("session_count", 0), "user_count": shares.get("user_count", 0)}
            rows |= {"total": whole}
        rows |= _name_shares(f"share_of_{name}", shares, rows["total"] if name == "all" else None)
        if name == "first":
            rows |= {key: shares.get(key, 1) for key in ("design_effect", "cluster_count")}
    if step == 0:
        certain = 1.0 if rows["session_count"] else None
        rows |= dict.fromkeys(("share_of_first", "share_of_first_low", "share_of_first_high"), certain)
        rows |= dict.fromkeys(("share_of_previous", "share_of_previous_low", "share_of_previous_high"))
    return rows | _measure_times(connection, step, options)


def _select_reached(step: int) -> str:
    return f"from funnel_sequences semi join ({select_funnel_sequences(step)}) using (sequence_id)"


def _name_shares(name: str, shares: Row, total: object) -> Row:
    share, low, high = (shares.get(key) for key in ("share", "low", "high"))
    if not shares and total:
        share = 0.0
    return {name: share, f"{name}_low": low, f"{name}_high": high}


def _measure_times(connection: duckdb.DuckDBPyConnection, step: int, options: FunnelOptions) -> Row:
    previous = f"t{step} - t{step - 1}" if step and not options.is_any_order else "null::double"
    times: Row = (
        connection.sql(f"""
        select median({previous}) as median_seconds_from_previous,
            quantile_cont({previous}, 0.95) as p95_seconds_from_previous,
            median(t{step}) as median_seconds_from_first
        from funnel_matches where t{step} is not null
    """)
        .pl()
        .row(0, named=True)
    )
    return times


def _select_hits(options: FunnelOptions) -> str:
    """Events that fulfil a step, or are excluded (step -1): sequence_id, event_at, position, step."""
    sequence = "user_id" if options.is_of_users else "session_id"
    numbered = [
        *((number, node) for number, node in enumerate(options.steps)),
        *((-1, one) for one in options.excluded),
    ]
    events = "(select event_id, event_name, session_id, user_id, event_at, rowid as position from marts.events)"
    parts = []
    for step, node in numbered:
        if node.dimension == EVENT_NAME:
            source, where = events, f"event_name in {quote_all(node.node_ids)}"
        else:
            topics = (
                f"(select event_id from marts.event_topics where field = {quote(node.dimension)} "
                f"and coalesce(continues_topic_id, topic_id) in {quote_all(node.node_ids)})"
            )
            source, where = f"{events} semi join {topics} using (event_id)", "true"
        parts.append(
            f"select {sequence} as sequence_id, event_at, position, {step} as step from {source} "
            f"semi join scoped_sessions using (session_id) where {where} and {sequence} is not null"
        )
    return " union all ".join(f"(from ({part}))" for part in parts)


def _hits_of(step: int) -> str:
    return f"(select sequence_id, position, event_at from funnel_hits where step = {step})"


def _match_in_order(options: FunnelOptions) -> str:
    """Of the possible series of a sequence, the one that reaches most steps, and of these the earliest."""
    first = "position, position as first_position, event_at as first_at, 0.0::double as t0"
    sql = f"select sequence_id, {first} from {_hits_of(0)}"
    if options.within_seconds is None and not options.excluded:  # the earliest first event reaches most steps
        sql += " qualify position = min(position) over (partition by sequence_id)"
    if options.excluded:
        sql = _join_next(sql, -1, "blocked", is_later=False)
    for number in range(1, len(options.steps)):
        joined = _join_next(sql, number, "next", is_later=True)
        limit = _limit(options, "next_at", "next")
        sql = f"""
            select * exclude (next, next_at, position), if({limit} and t{number - 1} is not null,
                epoch_us(next_at - first_at) / 1e6, null) as t{number}, coalesce(next, position) as position
            from ({joined})
        """
    missed = " + ".join(f"(t{number} is null)::int" for number in range(len(options.steps)))
    return f"""
        from ({sql})
        qualify row_number() over (partition by sequence_id order by {missed}, first_position) = 1
    """


def _match_in_any_order(options: FunnelOptions) -> str:
    """The shortest time in which a sequence has the first one, two ... steps."""
    count = len(options.steps)
    sql = "select distinct sequence_id, position, event_at as first_at from funnel_hits where step >= 0"
    if options.excluded:
        sql = _join_next(sql, -1, "blocked", is_later=False)
    for number in range(count):
        joined = _join_next(sql, number, "next", is_later=False)
        sql = f"select * exclude (next, next_at), next as p{number}, next_at as at{number} from ({joined})"
    spans = []
    for number in range(count):
        so_far = range(number + 1)
        latest = f"greatest({', '.join(f'at{one}' for one in so_far)})"
        last = f"greatest({', '.join(f'p{one}' for one in so_far)})"
        complete = " and ".join(f"p{one} is not null" for one in so_far)
        spans.append(
            f"min(if({complete} and {_limit(options, latest, last)}, epoch_us({latest} - first_at) / 1e6, null)) "
            f"as t{number}"
        )
    return f"select sequence_id, {', '.join(spans)} from ({sql}) group by sequence_id"


def _join_next(sql: str, step: int, name: str, *, is_later: bool) -> str:
    """The rows with the position and time of the next event of a step, or unless ``is_later`` the same one."""
    return f"""
        select a.*, b.position as {name}, b.event_at as {name}_at
        from ({sql}) a asof left join {_hits_of(step)} b
        on a.sequence_id = b.sequence_id and b.position {">" if is_later else ">="} a.position
    """


def _limit(options: FunnelOptions, at: str, position: str) -> str:
    """The condition that a series that reaches a time and position counts."""
    conditions = [f"{position} is not null"]
    if options.within_seconds is not None:
        conditions.append(f"epoch_us({at} - first_at) / 1e6 <= {options.within_seconds!r}")
    if options.excluded:
        conditions.append(f"(blocked is null or blocked > {position})")
    return " and ".join(conditions)


def suppress_few_users(rows: pl.DataFrame, min_users: int, shown: Sequence[str]) -> pl.DataFrame:
    """The steps of a funnel with nulls for the figures of too few users, except those of the columns ``shown``."""
    if min_users <= 1:
        return rows
    is_few = (pl.col("user_count") < min_users) & (pl.col("session_count") > 0)
    return rows.with_columns(pl.when(~is_few).then(name).alias(name) for name in rows.columns if name not in shown)

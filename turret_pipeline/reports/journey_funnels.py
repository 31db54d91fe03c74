"""Funnels of the sessions of a scope, counted in SQL (``journeys.funnel``).

The position of an event is its row in marts.events, which is in the order of events.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import add_intervals
from turret_pipeline.reports.node_names import Node
from turret_pipeline.reports.node_numbers import numbers_of, quote

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
    """Create the tables funnel_matches and funnel_clusters of a connection of ``open_scope``.

    funnel_matches has the sequences with the first step (``numbered``), and t0, t1 ..., the seconds to each step,
    null from the first step that is missed. funnel_clusters has the number of all sequences of each cluster, and of
    those that reach each step: reached_0, reached_1 ...
    """
    connection.execute(f"create or replace temp table funnel_hits as {_select_hits(options)}")
    match = _match_in_any_order if options.is_any_order else _match_in_order
    connection.execute(f"create or replace temp table funnel_matches as {match(options)}")
    sequences = (
        "select distinct user_number as sequence, user_number as cluster from scoped_session_numbers "
        "where user_number is not null"
        if options.is_of_users
        else "select session_number as sequence, coalesce(user_number, -1 - session_number) as cluster "
        "from scoped_session_numbers"
    )
    reached = ", ".join(f"count(t{step}) as reached_{step}" for step in range(len(options.steps)))
    connection.execute(
        f"create or replace temp table funnel_clusters as select cluster, count(*) as everyone, {reached} "
        f"from ({sequences}) left join funnel_matches using (sequence) group by cluster"
    )


def read_funnel(connection: duckdb.DuckDBPyConnection, options: FunnelOptions) -> pl.DataFrame:
    """One row per step, with the columns of ``journeys.funnel.count_funnel`` after ``define_funnel``.

    Also total (all sessions), and design_effect and cluster_count of the share of step 1.
    """
    rows = [_read_step(connection, step, options) for step in range(len(options.steps))]
    return pl.DataFrame(rows, infer_schema_length=None).with_columns(pl.col(pl.Null).cast(pl.Float64))


def select_funnel_sequences(step: int) -> str:
    """The query of the sequences that reach a step, from 0, after ``define_funnel``."""
    return f"select sequence from funnel_matches where t{int(step)} is not null"


def _read_step(connection: duckdb.DuckDBPyConnection, step: int, options: FunnelOptions) -> Row:
    reached = f"reached_{step}"
    of_all = _read_share(connection, reached, "everyone")
    of_first = _read_share(connection, reached, "reached_0")
    of_previous = _read_share(connection, reached, f"reached_{max(step - 1, 0)}")
    rows: Row = {"step_number": step + 1}
    rows |= {name: of_all[name] for name in ("session_count", "user_count", "total")}
    for name, found in (("all", of_all), ("first", of_first), ("previous", of_previous)):
        rows |= {f"share_of_{name}{end}": found[f"share{end}"] for end in ("", "_low", "_high")}
    rows |= {key: of_first[key] for key in ("design_effect", "cluster_count")}
    if step == 0:
        certain = 1.0 if rows["session_count"] else None
        rows |= dict.fromkeys(("share_of_first", "share_of_first_low", "share_of_first_high"), certain)
        rows |= dict.fromkeys(("share_of_previous", "share_of_previous_low", "share_of_previous_high"))
    return rows | _measure_times(connection, step, options)


def _read_share(connection: duckdb.DuckDBPyConnection, hits: str, base: str) -> Row:
    """The share of the sequences ``hits`` in those of ``base``, both columns of funnel_clusters; null without any."""
    sums = connection.sql(f"""
        select coalesce(sum({hits}), 0)::bigint as session_count,
            count(*) filter ({hits} > 0 and cluster >= 0) as user_count, coalesce(sum({base}), 0)::bigint as total,
            sum({hits} * {hits}) as squares, sum({hits} * {base}) as crossed, sum({base} * {base}) as total_squares,
            count(*) filter ({base} > 0) as cluster_count
        from funnel_clusters
    """).pl()
    if not sums["session_count"].item():
        share = 0.0 if sums["total"].item() and base == "everyone" else None
        missing: Row = {"share": share, "share_low": None, "share_high": None, "design_effect": 1, "cluster_count": 1}
        row: Row = sums.row(0, named=True)
        return row | missing
    found = add_intervals(sums, "session_count").rename({"low": "share_low", "high": "share_high"})
    shares: Row = found.row(0, named=True)
    return shares


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
    """Events that fulfil a step, or are excluded (step -1): sequence, event_at, position, step."""
    sequence = "user_number" if options.is_of_users else "session_number"
    numbered = [
        *((number, node) for number, node in enumerate(options.steps)),
        *((-1, one) for one in options.excluded),
    ]
    return " union all ".join(
        f"select {sequence} as sequence, event_at, position, {step} as step from scoped_visits "
        f"where dimension = {quote(node.dimension)} and node in {numbers_of(node.node_ids)} and {sequence} is not null"
        for step, node in numbered
    )


def _hits_of(step: int) -> str:
    return f"(select sequence, position, event_at from funnel_hits where step = {step})"


def _match_in_order(options: FunnelOptions) -> str:
    """Of the possible series of a sequence, the one that reaches most steps, and of these the earliest."""
    if options.within_seconds is None and not options.excluded:
        return _match_earliest(len(options.steps))
    first = "position, position as first_position, event_at as first_at, 0.0::double as t0"
    sql = f"select sequence, {first} from {_hits_of(0)}"
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
        from ({sql}) qualify row_number() over (partition by sequence order by {missed}, first_position) = 1
    """


def _match_earliest(count: int) -> str:
    """The series from the earliest first event: without limits it reaches most steps."""
    sql = f"""
        select sequence, min(position) as position, min(event_at) as first_at, 0.0::double as t0
        from {_hits_of(0)} group by sequence
    """
    for number in range(1, count):
        earlier = ", ".join(f"any_value(t{one}) as t{one}" for one in range(number))
        sql = f"""
            select sequence, min(if(b.position > a.position, b.position, null)) as position,
                any_value(first_at) as first_at, {earlier},
                epoch_us(min(if(b.position > a.position, b.event_at, null)) - any_value(first_at)) / 1e6 as t{number}
            from ({sql}) a left join {_hits_of(number)} b using (sequence) group by sequence
        """
    return sql


def _match_in_any_order(options: FunnelOptions) -> str:
    """The shortest time in which a sequence has the first one, two ... steps."""
    count = len(options.steps)
    ahead = [
        f"min(if(step = {number}, position, null)) over ahead as p{number}, "
        f"min(if(step = {number}, event_at, null)) over ahead as at{number}"
        for number in range(count)
    ]
    ahead += ["min(if(step = -1, position, null)) over ahead as blocked"] if options.excluded else []
    sql = f"""
        select sequence, event_at as first_at, {", ".join(ahead)} from funnel_hits
        window ahead as (partition by sequence order by position range between current row and unbounded following)
        qualify step >= 0
    """
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
    return f"select sequence, {', '.join(spans)} from ({sql}) group by sequence"


def _join_next(sql: str, step: int, name: str, *, is_later: bool) -> str:
    """The rows with the position and time of the next event of a step, or unless ``is_later`` the same one."""
    return f"""
        select a.*, b.position as {name}, b.event_at as {name}_at
        from ({sql}) a asof left join {_hits_of(step)} b
        on a.sequence = b.sequence and b.position {">" if is_later else ">="} a.position
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

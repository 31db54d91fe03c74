"""SQL of the signals of topics: sums over clusters for each topic, its weeks, and its segments.

A cluster is a user, or a session without one. A *whole* is what a share is compared within, and a *cell* a part of it:
a topic among the topics of its field, or a week or segment among those of its topic. The tables are ``units`` (the
exchanges about topics), and cells and wholes by session and by cluster (figures of each in them). Each signal NAME has
the figures NAME_total, the exchanges in which it is decided, and NAME_count, those with it.
"""

from collections.abc import Iterator, Sequence

TOPICS, WEEKS, MODELS, SEGMENTS = "topics", "weeks", "models", "segments"

SCOPED = {
    TOPICS: "select *, field as whole, topic_id as cell from units",
    WEEKS: "select *, topic_id as whole, week::varchar as cell from units where week is not null",
    MODELS: "select *, topic_id as whole, model as cell from units where model is not null",
    SEGMENTS: "select units.*, topic_id as whole, segment_value as cell from units join segments using (exchange_id) "
    "where segment_field = $segment_field",
}
"""The cells of the units in each scope."""


def create_units(signals: Sequence[str]) -> str:
    """Exchanges about topics with their week, by the parameters time_zone and first_weekday.

    The week is null on days of wrong clocks (``data_days``).
    """
    flags = ", ".join(f"is_{signal}" for signal in signals)
    return f"""
create table units as
with known as (
    select exchange_id, field, subject_topic_id as topic_id, model, user_id is not null as has_user,
        hash(coalesce('user ' || user_id, 'session ' || session_id)) as cluster, hash(session_id) as session,
        timezone($time_zone, prompt_at)::date as day
    from lake_exchanges where subject_topic_id is not null
)
select exchange_id, field, topic_id, model, has_user, cluster, session,
    case when exists (from lake_data_days where day between first_date and last_date) then
        (date_trunc('week', day - to_days($first_weekday::int)) + to_days($first_weekday::int))::date end as week,
    {flags}
from known join lake_exchange_signals using (exchange_id)
"""


CREATE_SEGMENTS = """
create table segments as
select exchange_id, field as segment_field, min_by(text_value, side != 'prompt') as segment_value
from lake_exchange_values
where text_value is not null and trim(text_value) != '' and side != 'feedback'
group by all
"""
"""The value that was known when the prompt was sent, or else that of the answer."""


SESSION, USER = "session", "cluster"
"""Levels of clusters, by the column that names them."""


def create_cells(signals: Sequence[str], scope: str) -> Iterator[str]:
    """Statements that make the figures of each session, and of each user, in each cell of a scope and in its whole."""
    figures = ", ".join(
        f"count(is_{name}) as {name}_total, count(*) filter (is_{name}) as {name}_count" for name in signals
    )
    columns = [f"{name}_{figure}" for name in signals for figure in ("total", "count")]
    again = ", ".join(f"sum({column})::bigint as {column}" for column in columns)
    wholes = ", ".join(f"sum({column})::bigint as whole_{column}" for column in columns)
    keys = "field, whole, cell, cluster, has_user"
    selects = {
        "session_cells": f"{keys}, session, {figures} from ({SCOPED[scope]})",
        "cluster_cells": f"{keys}, {again} from session_cells",
        **{f"{level}_wholes": f"whole, {level}, {wholes} from {level}_cells" for level in (SESSION, USER)},
    }
    for table, select in selects.items():
        yield f"create or replace table {table} as select {select} group by all"


def sum_cells(signals: Sequence[str], level: str) -> str:
    """Sums of each cell over its clusters of a level; for users also the events and the numbers of clusters."""
    sums = ", ".join(f"{sql} as {name}" for signal in signals for name, sql in _list_cell_sums(signal, level))
    return (
        f"select field, whole, cell, {sums} from {level}_cells join {level}_wholes using (whole, {level}) group by all"
    )


def sum_wholes(signals: Sequence[str], level: str) -> str:
    """Sums of each whole over its clusters of a level; for users also the events and the number of clusters."""
    sums = ", ".join(f"{sql} as {name}" for signal in signals for name, sql in _list_whole_sums(signal, level))
    return f"select whole, {sums} from {level}_wholes group by whole"


def count_users(signal: str) -> str:
    """Users of the suppressed cells of each whole, with the signal and without it."""
    return f"""
select whole, count(distinct cluster) filter ({signal}_count > 0) as with_signal,
    count(distinct cluster) filter ({signal}_total > {signal}_count) as without_signal
from cluster_cells semi join suppressed using (whole, cell) where has_user group by whole
"""


COUNT, TOTAL, WHOLE_COUNT, WHOLE_TOTAL = "count", "total", "whole_count", "whole_total"
CELL_SQUARES, CELL_CROSSED = "cell_squares", "cell_crossed"
TOTAL_SQUARES, COUNT_SQUARES, COUNT_CROSSED = "total_squares", "count_squares", "count_crossed"
OWN_SQUARES, OWN_CROSSED = "own_squares", "own_crossed"
CLUSTERS, CLUSTERS_WITHIN, ALL_CLUSTERS = "clusters", "clusters_within", "all_clusters"
USERS_WITH, USERS_WITHOUT = "users_with", "users_without"
"""Columns of the sums, after the name of the signal: events with the signal and all in a cell, and in its whole; those
of ``cell_sums.LevelSums``, after the level; sums of squares of the events with the signal in a cell, and of their
products with all of its events; numbers of clusters in a cell, of those in no other cell of the whole, and of all in
the whole; and of known users of exchanges in a cell with the signal, and without it."""


def _list_cell_sums(signal: str, level: str) -> Iterator[tuple[str, str]]:
    count, total, whole = (
        f"{name}::double" for name in (f"{signal}_count", f"{signal}_total", f"whole_{signal}_total")
    )
    yield quote(signal, level, CELL_SQUARES), f"sum({total} * {total})"
    yield quote(signal, level, CELL_CROSSED), f"sum({total} * {whole})"
    if level == USER:
        yield quote(signal, COUNT), f"sum({count})"
        yield quote(signal, TOTAL), f"sum({total})"
        yield quote(signal, OWN_SQUARES), f"sum({count} * {count})"
        yield quote(signal, OWN_CROSSED), f"sum({count} * {total})"
        conditions = {
            CLUSTERS: f"{signal}_total > 0",
            CLUSTERS_WITHIN: f"{signal}_total > 0 and {signal}_total = whole_{signal}_total",
            USERS_WITH: f"has_user and {signal}_count > 0",
            USERS_WITHOUT: f"has_user and {signal}_total > {signal}_count",
        }
        yield from ((quote(signal, name), f"count(*) filter ({condition})") for name, condition in conditions.items())


def _list_whole_sums(signal: str, level: str) -> Iterator[tuple[str, str]]:
    count, total = f"whole_{signal}_count::double", f"whole_{signal}_total::double"
    yield quote(signal, level, TOTAL_SQUARES), f"sum({total} * {total})"
    yield quote(signal, level, COUNT_SQUARES), f"sum({count} * {count})"
    yield quote(signal, level, COUNT_CROSSED), f"sum({count} * {total})"
    if level == USER:
        yield quote(signal, WHOLE_COUNT), f"sum({count})"
        yield quote(signal, WHOLE_TOTAL), f"sum({total})"
        yield quote(signal, ALL_CLUSTERS), f"count(*) filter ({total} > 0)"


def quote(*names: str) -> str:
    """Name of a column of sums."""
    return f'"{" ".join(names)}"'

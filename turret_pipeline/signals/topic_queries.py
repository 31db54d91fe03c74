"""SQL of the signals of topics: sums over clusters for each topic, its weeks, and its segments.

A cluster is a user, or a session without one. A *whole* is what a share is compared within, and a *cell* a part of it:
a topic among the topics of its field, or a week or segment among those of its topic. The tables are ``units`` (the
exchanges about topics), and ``cells`` and ``wholes`` (figures of each cluster in them). Each signal NAME has the
figures NAME_total, the exchanges in which it is decided, and NAME_count, those with it.
"""

from collections.abc import Iterator, Sequence

from turret_pipeline.stats.effects import CLUSTER_PRODUCTS, COUNT, TOTAL, WHOLE_COUNT, WHOLE_TOTAL

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
        hash(coalesce('user ' || user_id, 'session ' || session_id)) as cluster,
        timezone($time_zone, prompt_at)::date as day
    from lake_exchanges where subject_topic_id is not null
)
select exchange_id, field, topic_id, model, has_user, cluster,
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


def create_cells(signals: Sequence[str], scope: str) -> str:
    """Figures of each cluster in each cell of a scope."""
    figures = ", ".join(
        f"count(is_{name}) as {name}_total, count(*) filter (is_{name}) as {name}_count" for name in signals
    )
    return f"""
create or replace table cells as
select field, whole, cell, cluster, has_user, {figures} from ({SCOPED[scope]}) group by all
"""


def create_wholes(signals: Sequence[str]) -> str:
    """Figures of each cluster in each whole."""
    figures = ", ".join(
        f"sum({name}_{figure})::bigint as {name}_whole_{figure}" for name in signals for figure in ("total", "count")
    )
    return f"create or replace table wholes as select whole, cluster, {figures} from cells group by all"


def sum_cells(signals: Sequence[str]) -> str:
    """Sums of each cell over its clusters, and the numbers of clusters and users, named by ``name_sum``."""
    sums = ", ".join(f"{expression} as {name}" for signal in signals for name, expression in _list_cell_sums(signal))
    return f"""
select field, whole, cell, {sums}
from cells join wholes using (whole, cluster) group by field, whole, cell order by field, whole, cell
"""


def sum_wholes(signals: Sequence[str]) -> str:
    """Sums of each whole over its clusters."""
    sums = ", ".join(f"{expression} as {name}" for signal in signals for name, expression in _list_whole_sums(signal))
    return f"select whole, {sums} from wholes group by whole"


def count_users(signal: str) -> str:
    """Users of the suppressed cells of each whole, with the signal and without it."""
    return f"""
select whole, count(distinct cluster) filter ({signal}_count > 0) as with_signal,
    count(distinct cluster) filter ({signal}_total > {signal}_count) as without_signal
from cells semi join suppressed using (whole, cell) where has_user group by whole
"""


def name_sum(signal: str, *figures: str) -> str:
    """Name of the column with the sum of a product of figures."""
    return f"{signal} {' '.join(figures)}"


CLUSTERS, CLUSTERS_WITHIN, ALL_CLUSTERS = "clusters", "clusters_within", "all_clusters"
USERS_WITH, USERS_WITHOUT = "users_with", "users_without"
"""Numbers of clusters in a cell, of those in no other cell of the whole, and of all in the whole; and of known users of
exchanges in a cell with the signal, and without it."""


def _list_cell_sums(signal: str) -> Iterator[tuple[str, str]]:
    columns = {figure: f"{signal}_{figure}::double" for figure in (COUNT, TOTAL, WHOLE_COUNT, WHOLE_TOTAL)}
    for figure in (COUNT, TOTAL):
        yield _quote(signal, figure), f"sum({columns[figure]})"
    for one, other in CLUSTER_PRODUCTS:
        if one in {COUNT, TOTAL}:
            yield _quote(signal, one, other), f"sum({columns[one]} * {columns[other]})"
    conditions = {
        CLUSTERS: f"{signal}_total > 0",
        CLUSTERS_WITHIN: f"{signal}_total > 0 and {signal}_total = {signal}_whole_total",
        USERS_WITH: f"has_user and {signal}_count > 0",
        USERS_WITHOUT: f"has_user and {signal}_total > {signal}_count",
    }
    yield from ((_quote(signal, name), f"count(*) filter ({condition})") for name, condition in conditions.items())


def _list_whole_sums(signal: str) -> Iterator[tuple[str, str]]:
    columns = {figure: f"{signal}_{figure}::double" for figure in (WHOLE_COUNT, WHOLE_TOTAL)}
    for figure, column in columns.items():
        yield _quote(signal, figure), f"sum({column})"
    for one, other in CLUSTER_PRODUCTS:
        if one in columns:
            yield _quote(signal, one, other), f"sum({columns[one]} * {columns[other]})"
    yield _quote(signal, ALL_CLUSTERS), f"count(*) filter ({signal}_whole_total > 0)"


def _quote(signal: str, *figures: str) -> str:
    return f'"{name_sum(signal, *figures)}"'

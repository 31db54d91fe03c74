"""Figures of the topics of a text field within a scope: counts, shares, changes and trends.

All come from sums that DuckDB makes over users, so that a filter costs one pass over the exchanges.
"""

from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.activity import Bucket, Unit, choose_bucket
from turret_pipeline.reports.node_numbers import number_of, quote, select_named
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.scoped_tables import open_scope
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.effects import share_design_effects
from turret_pipeline.stats.pair_sums import PARTS, PairSums, compare_pairs
from turret_pipeline.stats.shares import q_values, share_interval
from turret_pipeline.tables import EVENT_NAME, USER
from turret_pipeline.topics.insights.periods import WeekStart

FIGURES = ("unit_count", "user_count", "share", "share_low", "share_high")
CHANGES = (
    "before_count",
    "before_user_count",
    "before_share",
    "difference",
    "difference_low",
    "difference_high",
    "q_value",
)
"""Columns that are null in rows of too few users."""

_OF_ALL_TOPICS = (
    "with clusters as (select cluster, sum(count) as total, sum(other_count) as other_total "
    "from topic_cells group by cluster)"
)

_CELLS = """
create or replace temp table topic_cells as
select topic, cluster, (count(*) filter (is_now))::double as count,
    (count(*) filter (not is_now))::double as other_count
from (select *, {is_now} as is_now from ({units})) group by topic, cluster
"""

_PRODUCTS = {(one, two): f"{PARTS[one]} * {PARTS[two]}" for one in range(4) for two in range(one, 4)}
_OF_CLUSTERS = sorted(pair for pair in _PRODUCTS if min(pair) >= 2)
"""Products that are the same for all topics, since clusters without the topic have them too."""

_OF_TOPICS = sorted(_PRODUCTS.keys() - _OF_CLUSTERS)

_SUMS = f"""
{_OF_ALL_TOPICS}
select topic, sum(count) as count, sum(other_count) as other_count,
    count(*) filter (cluster >= 0 and count > 0) as user_count, count(*) as cluster_count,
    count(*) filter (cluster >= 0 and other_count > 0) as other_user_count,
    {", ".join(f"sum({_PRODUCTS[one, two]}) as product_{one}{two}" for one, two in _OF_TOPICS)}
from topic_cells join clusters using (cluster) group by topic
"""

_TOTALS = f"""
{_OF_ALL_TOPICS}
select coalesce(sum(total), 0) as total, coalesce(sum(other_total), 0) as other_total,
    {", ".join(f"coalesce(sum({_PRODUCTS[one, two]}), 0) as product_{one}{two}" for one, two in _OF_CLUSTERS)}
from clusters
"""

_TOPICS = """
select topic_id, label, theme_label, role, is_locked, is_emerging from marts.topics where field = ?
"""


@dataclass(frozen=True)
class TopicField:
    """A text field with topics, and what is counted in it: exchanges if it holds prompts, else events."""

    name: str
    unit: Unit

    def units(self) -> str:
        """The query of its exchanges or events in the scope of a connection (``numbered.units``)."""
        return f"from scoped_units where field = {quote(self.name)}"


def list_topic_fields(published: PublishedTables) -> list[TopicField]:
    """The text fields for which topics were looked for, that of most prompts first."""
    rows = published.query("""
        with prompts as (select field, count(*) as n from marts.exchanges group by field)
        select distinct field, coalesce(n, 0) as prompt_count, texts from (
            select field, max(text_count) as texts from marts.topic_runs group by field
        ) left join prompts using (field) order by prompt_count desc, texts desc, field
    """)
    return [TopicField(name, "exchange" if n else "event") for name, n in rows.select("field", "prompt_count").rows()]


def choose_topic_field(published: PublishedTables, dimension: str | None) -> TopicField | None:
    """The text field of a dimension, or the main one; None if no field has topics.

    Raises TurretError if the dimension is unknown.
    """
    fields = list_topic_fields(published)
    name = (dimension or "").removeprefix(USER)
    found = next((field for field in fields if field.name == name), None)
    if found is None and name not in {"", EVENT_NAME}:
        known = list_names([field.name for field in fields])
        raise TurretError(f"Unknown text field {name!r}. Available: {known}.")
    return found or next(iter(fields), None)


def count_topics(published: PublishedTables, field: TopicField, scope: Scope, before: Scope | None) -> pl.DataFrame:
    """A row per topic of the field, and one without topic_id for what has no topic, the most frequent first.

    The counts of ``unit_count`` add up to ``total_count``. ``share`` has a 95 % interval that allows for users who
    return to their subjects. With ``before``, the period that ends where the scope begins, ``difference`` is the change
    of the share in percentage points with its interval, and ``q_value`` is over the topics with enough events and
    users; others have none. Topics that are gone have no row unless something is counted.
    """
    whole = scope if before is None else replace(scope, since=before.since)
    is_now = "true" if before is None or scope.since is None else f"unit_at >= timestamptz '{scope.since.isoformat()}'"
    return _count(published, field, whole, is_now, is_compared=before is not None)


def compare_topic_segments(
    published: PublishedTables, field: TopicField, scope: Scope, first: tuple[str, str], second: tuple[str, str]
) -> pl.DataFrame:
    """The same for the sessions with the first of two values of an enum field; those with the second are *before*.

    Raises TurretError if the values are not of one field, or the scope has a filter on it.
    """
    name, value = first
    if name != second[0] or first == second:
        raise TurretError(f"Cannot compare {name} = {value} with {' = '.join(second)}: choose two values of one field.")
    if name in scope.values():
        raise TurretError(f"The filter on {name} leaves nothing to compare: remove it.")
    is_first = f"session_number in (select session_number from numbered.session_values where field = {quote(name)} "
    whole = replace(scope, segments=(*scope.segments, first, second))
    return _count(published, field, whole, f"{is_first} and value = {quote(value)})", is_compared=True)


def _count(
    published: PublishedTables, field: TopicField, whole: Scope, is_now: str, *, is_compared: bool
) -> pl.DataFrame:
    with open_scope(published, whole) as connection:
        sums, totals = _sum_cells(connection, field, is_now)
    names = published.query(f"{_TOPICS} and (status = 'active' or list_contains(?, topic_id))", field.name, _ids(sums))
    counted = names.join(sums, on="topic_id", how="left").with_columns(pl.col(sums.columns[1:]).fill_null(0))
    unassigned = sums.filter(pl.col("topic_id").is_null())
    rows = pl.concat([counted, unassigned], how="diagonal").sort(
        ["count", "topic_id"], descending=[True, False], nulls_last=True
    )
    return _add_shares(rows, totals, is_compared=is_compared)


def _ids(sums: pl.DataFrame) -> list[str]:
    return sums["topic_id"].drop_nulls().to_list()


def _sum_cells(
    connection: duckdb.DuckDBPyConnection, field: TopicField, is_now: str
) -> tuple[pl.DataFrame, dict[str, float]]:
    """Sums over clusters of each topic, and of all together."""
    connection.execute(_CELLS.format(units=field.units(), is_now=is_now))
    totals: pl.DataFrame = connection.sql(_TOTALS).pl()
    sums: pl.DataFrame = connection.sql(select_named(_SUMS, "topic")).pl()
    return sums, totals.row(0, named=True)


def _add_shares(rows: pl.DataFrame, totals: dict[str, float], *, is_compared: bool) -> pl.DataFrame:
    total, other_total = totals["total"], totals["other_total"]
    low, high = _find_intervals(rows, totals)
    counted = rows.select(
        "topic_id",
        "label",
        "theme_label",
        "role",
        "is_locked",
        "is_emerging",
        pl.col("count").cast(pl.Int64).alias("unit_count"),
        pl.lit(int(total)).cast(pl.Int64).alias("total_count"),
        pl.col("user_count").cast(pl.Int64),
        (pl.col("count") / total if total else pl.lit(None, pl.Float64)).alias("share"),
        pl.Series("share_low", low, pl.Float64).fill_nan(None),
        pl.Series("share_high", high, pl.Float64).fill_nan(None),
        (pl.col("other_count") if is_compared else pl.lit(None)).cast(pl.Int64).alias("before_count"),
        (pl.col("other_user_count") if is_compared else pl.lit(None)).cast(pl.Int64).alias("before_user_count"),
        pl.lit(int(other_total) if is_compared else None).cast(pl.Int64).alias("before_total"),
        (pl.col("other_count") / other_total if other_total else pl.lit(None, pl.Float64)).alias("before_share"),
    )
    return counted.with_columns(_compare(rows, totals) if total and other_total else _no_changes())


def _find_intervals(rows: pl.DataFrame, totals: dict[str, float]) -> tuple[FloatArray, FloatArray]:
    total = np.full(rows.height, totals["total"])
    if not totals["total"]:
        return np.full(rows.height, np.nan), np.full(rows.height, np.nan)
    columns = (rows[name].to_numpy() for name in ("count", "product_00", "product_02"))
    count, squares, crossed = columns
    effects = share_design_effects(count, total, squares, crossed, np.full(rows.height, totals["product_22"]))
    return share_interval(count, total, effects)


def _compare(rows: pl.DataFrame, totals: dict[str, float]) -> list[pl.Series]:
    sums = np.stack(
        [rows["count"], rows["other_count"], *(np.full(rows.height, totals[name]) for name in PARTS[2:])], axis=1
    )
    products = np.empty((rows.height, 4, 4))
    for one, two in _PRODUCTS:
        name = f"product_{one}{two}"
        products[:, one, two] = products[:, two, one] = totals[name] if name in totals else rows[name].to_numpy()
    found = compare_pairs(PairSums(sums, products, rows["cluster_count"].to_numpy()))
    is_topic = rows["topic_id"].is_not_null().to_numpy()
    values = {
        "difference": found.difference,
        "difference_low": found.low,
        "difference_high": found.high,
        "q_value": q_values(np.where(is_topic, found.p_value, np.nan)),
    }
    return [pl.Series(name, column, pl.Float64).fill_nan(None) for name, column in values.items()]


def _no_changes() -> list[pl.Expr]:
    return [pl.lit(None, pl.Float64).alias(name) for name in CHANGES[3:]]


def suppress_few_users(rows: pl.DataFrame, min_users: int) -> pl.DataFrame:
    """The rows with ``is_suppressed``: figures of fewer than ``min_users`` users, now or before, are null.

    So that no figure follows from the total, at least two rows with something in them are suppressed, or none.
    """
    few = ((pl.col("user_count") < min_users) & (pl.col("unit_count") > 0)) | (
        (pl.col("before_user_count") < min_users) & (pl.col("before_count") > 0)
    ).fill_null(value=False)
    marked = rows.with_columns(
        few.alias("is_suppressed") if min_users > 1 else pl.lit(value=False).alias("is_suppressed")
    )
    if marked["is_suppressed"].sum() == 1:
        rank = pl.when((pl.col("unit_count") > 0) & ~pl.col("is_suppressed")).then(pl.col("user_count")).rank("ordinal")
        marked = marked.with_columns(
            (pl.col("is_suppressed") | (rank == 1).fill_null(value=False)).alias("is_suppressed")
        )
    hidden = [name for name in (*FIGURES, *CHANGES, "trend") if name in rows.columns]
    return marked.with_columns(
        pl.when("is_suppressed").then(None).otherwise(pl.col(name)).alias(name) for name in hidden
    )


@dataclass(frozen=True)
class TopicTrends:
    """Exchanges or events of each topic over time: ``rows`` has topic_id and trend, a list with a count per bucket."""

    bucket: Bucket
    days: tuple[str, ...]
    rows: pl.DataFrame


def read_topic_trends(
    published: PublishedTables,
    field: TopicField,
    scope: Scope,
    time_zone: str,
    week_start: WeekStart,
    topic_id: str | None = None,
) -> TopicTrends:
    """The trends of all topics of the field, or of one, by day or by week as ``read_trend``.

    They have the days from the first to the last of the field in the scope. What has no topic is a trend without
    topic_id.
    """
    units = field.units()
    of_topic = "true" if topic_id is None else f"topic = {number_of(topic_id)}"
    with open_scope(published, scope) as connection:
        bucket, first = choose_bucket(connection, units, time_zone, week_start)
        ends = f"select unnest([min(unit_at), max(unit_at)]) as unit_at from ({units})"
        start, end = (day for (day,) in connection.sql(f"select {first} from ({ends})").fetchall())
        counts = f"select topic, {first} as day, count(*) as n from ({units}) where {of_topic} group by topic, day"
        found: pl.DataFrame = connection.sql(select_named(counts, "topic")).pl()
    days = [] if start is None else pl.date_range(start, end, "1d" if bucket == "day" else "1w", eager=True).to_list()
    grid = found.select(pl.col("topic_id").unique()).join(pl.DataFrame({"day": days}, {"day": pl.Date}), how="cross")
    filled = grid.join(found, on=["topic_id", "day"], how="left", nulls_equal=True).sort("topic_id", "day")
    trend = pl.col("n").fill_null(0).cast(pl.Int64).alias("trend")
    return TopicTrends(bucket, tuple(map(str, days)), filled.group_by("topic_id", maintain_order=True).agg(trend))

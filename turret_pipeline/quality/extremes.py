"""The rows of a built table that decide if its rules hold: those with the lowest and highest values.

All values of a column are in a range if the lowest and the highest are; an order of two columns holds if no row breaks
it. So Great Expectations need not load the whole table: DuckDB finds these rows, and counts those that break a rule.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb
import polars as pl

from turret_pipeline.quality.rules import Order, Range, Rule, Unique
from turret_pipeline.tables import Table


@dataclass(frozen=True)
class Extremes:
    """The deciding rows of a table, its number of rows, and per rule the rows that break it and the values found."""

    rows: pl.DataFrame
    row_count: int
    violation_counts: list[int]
    found: list[str]


def read_extremes(connection: duckdb.DuckDBPyConnection, table: Table, rules: Sequence[Rule]) -> Extremes:
    """The extremes of a table in schema marts; at most four rows per rule. NaN counts as missing, as in pandas."""
    columns = checked_columns(table, rules)
    kinds = {column.name: column.kind for column in table.columns}
    values = [f"nullif({name}, 'nan'::double) as {name}" if kinds[name] == "number" else name for name in columns]
    source = f"(select {', '.join(['rowid as row_id', *values])} from marts.{table.name})"
    facts = _find_facts(connection, rules, source)
    deciding = sorted({row for fact in facts for row in fact[1:3] if row is not None})
    wanted = f"select {', '.join(columns) or 'rowid'} from marts.{table.name}"
    rows = connection.sql(f"{wanted} where rowid in (select unnest(?::bigint[]))", params=[deciding]).pl()
    (height,) = connection.execute(f"select count(*) from marts.{table.name}").fetchall()[0]
    found = [_describe(rule, fact) for rule, fact in zip(rules, facts, strict=True)]
    return Extremes(rows, height, [fact[0] for fact in facts], found)


def checked_columns(table: Table, rules: Sequence[Rule]) -> list[str]:
    """Columns that the rules are about, in the order of the table; users' texts are never loaded."""
    named = {column for rule in rules for column in rule.columns}
    return [column.name for column in table.columns if column.name in named]


Fact = tuple[int, int | None, int | None, Any, Any]
"""Number of rows that break a rule, ids of two rows that decide it, and for a range its lowest and highest value."""


def _find_facts(connection: duckdb.DuckDBPyConnection, rules: Sequence[Rule], source: str) -> list[Fact]:
    """The facts of each rule. One query finds those of all rules that need each row only once."""
    columns = ", ".join(_write_columns(rule) for rule in rules if not isinstance(rule, Unique))
    values = connection.execute(f"select {columns} from {source}").fetchall()[0] if columns else ()
    found = iter([values[start : start + 5] for start in range(0, len(values), 5)])
    return [
        connection.execute(_write_unique_query(rule, source)).fetchall()[0] if isinstance(rule, Unique) else next(found)
        for rule in rules
    ]


def _write_columns(rule: Range | Order) -> str:
    if isinstance(rule, Range):
        column, above = rule.column, "" if rule.high is None else f" or {rule.column} > {rule.high!r}"
        return (
            f"count(*) filter ({column} < {rule.low!r}{above}), arg_min(row_id, {column}), "
            f"arg_max(row_id, {column}), min({column}), max({column})"
        )
    broken = f"{rule.larger} < {rule.smaller}"
    return f"count(*) filter ({broken}), min(row_id) filter ({broken}), max(row_id), null, null"


def _write_unique_query(rule: Unique, source: str) -> str:
    together = ", ".join(rule.columns)
    return (
        "select coalesce(sum(times), 0)::bigint, min(first), arg_min(last, first), null, null from ("
        f"select min(row_id) as first, max(row_id) as last, count(*) as times from {source} "
        f"where coalesce({together}) is not null group by {together} having count(*) > 1)"
    )


def _describe(rule: Rule, fact: Fact) -> str:
    if isinstance(rule, Unique | Order):
        return ""
    return "no values" if fact[3] is None else f"{_format(fact[3])} to {_format(fact[4])}"


def _format(value: float) -> str:
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"

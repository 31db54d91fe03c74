"""SQL: one query of a person over the published tables, as a table, a file or a chart."""

import math
from typing import Any

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.access import ForbiddenError
from turret_pipeline.dashboard.charts.bars import draw_bars
from turret_pipeline.dashboard.charts.lines import Line, draw_lines
from turret_pipeline.dashboard.formats import FORMATS, Kind
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.queries import MAX_MEGABYTES, MAX_ROWS, MAX_SECONDS, QueryResult, run_query
from turret_pipeline.dashboard.tables import ROWS_SHOWN, ColumnView, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES

MAX_CHARACTERS, MAX_POINTS, MAX_BARS = 20_000, 1000, 30
EXAMPLES = {
    "Largest topics": "select label, event_count, user_count from topics\n"
    "where status = 'active' and role = 'subject' order by event_count desc limit 20",
    "Exchanges by day": "select prompt_at::date as day, count(*) as exchanges from exchanges group by day order by day",
    "Refusals by model": "select model, count(*) as exchanges, avg(is_declined::int) as declined_share\n"
    "from exchanges join exchange_signals using (exchange_id) group by model order by exchanges desc",
}


def show_sql(page: Page) -> Content:
    """The page of a query. Raises ForbiddenError for viewers if figures of few users are suppressed."""
    if page.min_users > 1:
        raise ForbiddenError(
            "Only admins can write queries here, because the tables show single users: ask one of them."
        )
    query = page.state.get("query").strip()
    values: dict[str, Any] = {
        "query": query,
        "examples": {name: page.state.to_page("sql", query=text) for name, text in EXAMPLES.items()},
        "limits": {"rows": MAX_ROWS, "seconds": MAX_SECONDS, "megabytes": MAX_MEGABYTES},
        "tables_of_file": MART_TABLES.values(),
        "types": DUCKDB_TYPES,
        "message": "",
        "is_cut": False,
        "chart": None,
    }
    if not query:
        return Content("sql.html", "SQL", values)
    try:
        result = _run(page, query)
    except TurretError as error:
        return Content("sql.html", "SQL", {**values, "message": str(error)})
    values |= {"is_cut": result.is_cut, "chart": _draw(result.frame)}
    return Content("sql.html", "SQL", values, (_tabulate(page, result.frame),))


def _run(page: Page, query: str) -> QueryResult:
    if len(query) > MAX_CHARACTERS:
        raise TurretError(f"The query has {len(query):,} characters: use at most {MAX_CHARACTERS:,}.")
    return page.published.results.remember(("sql", query), lambda: run_query(page.published.path, query))


def _tabulate(page: Page, frame: pl.DataFrame) -> TableView:
    columns = tuple(ColumnView(name, name, _choose_kind(kind)) for name, kind in frame.schema.items())
    first = ROWS_SHOWN * (page.state.row_page() - 1)
    return TableView("result", "Result", frame, columns, "The query has no rows.", first)


def _choose_kind(kind: pl.DataType) -> Kind:
    if kind.is_integer():
        return "count"
    if kind.is_float():
        return "number"
    return "time" if isinstance(kind, pl.Datetime) and kind.time_zone else "text"


def _draw(frame: pl.DataFrame) -> Markup | None:
    """A chart of the numbers by the first column: lines over time, or bars of the first one by name.

    None if the first column is a number, or if the rows are too few or too many.
    """
    numbers = [name for name, kind in frame.schema.items() if kind.is_numeric()]
    if frame.height < 2 or not numbers or numbers[0] == frame.columns[0]:
        return None
    labels = ["null" if value is None else str(value) for value in frame[frame.columns[0]]]
    if not frame.dtypes[0].is_temporal():
        return _draw_bars(frame, numbers[0], labels) if frame.height <= MAX_BARS else None
    if frame.height > MAX_POINTS:
        return None
    lines = [_make_line(frame, name, labels, style) for name, style in zip(numbers, ("line-a", "line-b"), strict=False)]
    return draw_lines(f"{' and '.join(numbers[:2])} by {frame.columns[0]}", labels, lines)


def _draw_bars(frame: pl.DataFrame, name: str, labels: list[str]) -> Markup:
    values = [value if value is not None and math.isfinite(value) else None for value in frame[name].cast(pl.Float64)]
    show = FORMATS[_choose_kind(frame.schema[name])]
    notes = ["" if value is None else show(value) for value in frame[name].to_list()]
    return draw_bars(f"{name} by {frame.columns[0]}", labels, values, notes)


def _make_line(frame: pl.DataFrame, name: str, labels: list[str], style: str) -> Line:
    values = frame[name].cast(pl.Float64).fill_nan(None).to_list()
    notes = [f"{label}: {name} {value}" for label, value in zip(labels, frame[name].to_list(), strict=True)]
    return Line(name, values, notes, style)

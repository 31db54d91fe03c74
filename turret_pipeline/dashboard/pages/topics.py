"""Topics: a list that can be searched and sorted, their trends, themes and map."""

from collections.abc import Sequence

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.charts.lines import draw_sparkline
from turret_pipeline.dashboard.formats import describe_share, format_difference, format_q_value, format_share
from turret_pipeline.dashboard.page import Content, Page, previous_label
from turret_pipeline.dashboard.pages.topic_charts import draw_themes, draw_topic_trends, list_on_map, list_themes
from turret_pipeline.dashboard.tables import ROWS_SHOWN, ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.exchange_filter import NO_TOPIC
from turret_pipeline.reports.topic_figures import (
    TopicField,
    TopicTrends,
    choose_topic_field,
    count_topics,
    list_topic_fields,
    read_topic_trends,
    suppress_few_users,
)

NO_TOPIC_LABEL = "No topic"
"""The label of exchanges and texts without a topic."""

SORTS = ("label", "theme_label", "unit_count", "share", "user_count", "before_share", "difference", "q_value")
UP = "up"


def show_topics(page: Page) -> Content:
    """The page of all topics of a text field."""
    field = choose_topic_field(page.published, page.state.dimension)
    if field is None:
        return Content("topics.html", "Topics", {"field": None})
    rows, trends = _read_topics(page, field)
    found = _sort(page, _search(page, rows))
    counted = found.filter(pl.col("unit_count").is_not_null())
    themes = rows["theme_label"].drop_nulls().unique().sort().to_list()
    table, theme_table = _tabulate(page, field, found, trends), list_themes(page, field, rows)
    chart, trend_table = draw_topic_trends(page, field, rows, trends)
    points, map_table = list_on_map(page, field, rows)
    values = {
        "field": field,
        "fields": list_topic_fields(page.published),
        "themes": themes,
        "topic_count": found["topic_id"].count(),
        "all_count": rows["topic_id"].count(),
        "unit_count": int(counted["unit_count"].sum()),
        "total_count": rows["total_count"].max() or 0,
        "has_suppressed": bool(rows["is_suppressed"].any()),
        "before_label": previous_label(page.state),
        "sort": page.state.get("sort", "unit_count"),
        "is_descending": page.state.get("order") != UP,
        "chart": chart,
        "treemap": draw_themes(page, field, rows),
        "points": points,
    }
    return Content("topics.html", "Topics", values, (table, trend_table, theme_table, map_table))


def read_figures(page: Page, field: TopicField) -> pl.DataFrame:
    """The figures of all topics of the field in the scope of the page.

    What has no topic is the row without a topic_id.
    """
    scope, before = page.state.scope(), page.state.previous_scope()
    rows = page.remember("topics", lambda: count_topics(page.published, field, scope, before), field, before)
    return rows.with_columns(pl.col("label").fill_null(NO_TOPIC_LABEL))


def _read_topics(page: Page, field: TopicField) -> tuple[pl.DataFrame, TopicTrends]:
    """The figures of all topics as this person may see them, with their trends."""
    scope, settings = page.state.scope(), page.project.settings
    trends = page.remember(
        "topic trends",
        lambda: read_topic_trends(page.published, field, scope, settings.time_zone, settings.week_start),
        field,
    )
    rows = read_figures(page, field).join(
        trends.rows, on="topic_id", how="left", nulls_equal=True, maintain_order="left"
    )
    nothing = pl.lit([0] * len(trends.days), pl.List(pl.Int64))
    return suppress_few_users(rows.with_columns(pl.col("trend").fill_null(nothing)), page.min_users), trends


def link_to_list(page: Page, field: TopicField, topic_id: str | None, **others: str | Sequence[str]) -> str:
    """URL of the exchanges about a topic, or of the events with such a text if the field has no prompts."""
    topic = topic_id or NO_TOPIC
    of_field = {"dimension": field.name} if topic_id is None else {}
    if field.unit == "exchange":
        return page.state.to_page("exchanges", topic=topic, **of_field, **others)
    return page.state.to_page("texts", field=field.name, topic=topic, **others)


def link_to_list_before(page: Page, field: TopicField, topic_id: str | None) -> str | None:
    """URL of the same list in the previous period; None without one."""
    since, mark, until = previous_label(page.state).partition(" to ")
    return link_to_list(page, field, topic_id, since=since, until=until) if mark else None


def _search(page: Page, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose label, id or theme contains the words, of the chosen theme."""
    words, theme = page.state.get("q").lower().split(), page.state.get("theme")
    names = pl.concat_str("label", "topic_id", "theme_label", separator=" ", ignore_nulls=True).str.to_lowercase()
    found = rows.filter(names.str.contains(word, literal=True) for word in words) if words else rows
    return found.filter(pl.col("theme_label") == theme) if theme else found


def _sort(page: Page, rows: pl.DataFrame) -> pl.DataFrame:
    column, order = page.state.get("sort", "unit_count"), page.state.get("order")
    if column not in SORTS:
        raise TurretError(f"Invalid sort {column!r}: use {', '.join(SORTS)}.")
    if order not in {"", UP}:
        raise TurretError(f"Invalid order {order!r}: use {UP}, or leave it out.")
    is_text = rows.schema[column] == pl.String
    key = pl.col(column).str.to_lowercase() if is_text else pl.col(column)
    return rows.sort(key, "topic_id", descending=[order != UP, False], nulls_last=True, maintain_order=True)


def read_first_row(page: Page) -> int:
    """Position of the first row to show, from the number of the page of rows."""
    text = page.state.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 7 and int(text)):
        raise TurretError(f"Invalid page {text!r}: use a number from 1.")
    return (int(text) - 1) * ROWS_SHOWN


def _tabulate(page: Page, field: TopicField, rows: pl.DataFrame, trends: TopicTrends) -> TableView:
    units = f"{field.unit}s"
    columns = [
        ColumnView("label", "Topic", link=lambda row: link_to_topic(page, row), is_sortable=True),
        ColumnView("theme_label", "Theme", link=lambda row: _link_to_theme(page, row), is_sortable=True),
        ColumnView("unit_count", units.capitalize(), "count", lambda row: _link(page, field, row), is_sortable=True),
        ColumnView("share", "Share", "share", hint=lambda row: _describe_share(row, units), is_sortable=True),
        ColumnView("user_count", "Users", "count", is_sortable=True),
    ]
    if page.state.previous_scope() is not None:
        columns += [
            ColumnView(
                "before_share",
                "Before",
                "share",
                lambda row: link_to_list_before(page, field, row["topic_id"]),
                lambda row: describe_share(row["before_count"], row["before_total"], units),
                is_sortable=True,
            ),
            ColumnView("difference", "Change", "difference", hint=describe_change, is_sortable=True),
            ColumnView("q_value", "q-value", "q_value", is_sortable=True),
        ]
    columns.append(ColumnView("trend", f"By {trends.bucket}", draw=lambda row: _draw_trend(row, trends, units)))
    nothing = "No topic matches. Search for another word, or choose all themes."
    return TableView("topics", f"Topics of {field.name}", rows, tuple(columns), nothing, read_first_row(page))


def link_to_topic(page: Page, row: Row) -> str | None:
    """URL of the page of a topic; None for what has no topic."""
    return page.state.to_page(f"topics/{row['topic_id']}") if row["topic_id"] else None


def _link_to_theme(page: Page, row: Row) -> str:
    return page.state.change(theme=row["theme_label"])


def _link(page: Page, field: TopicField, row: Row) -> str:
    return link_to_list(page, field, row["topic_id"])


def _describe_share(row: Row, units: str) -> str:
    return describe_share(row["unit_count"], row["total_count"], units, row["share_low"], row["share_high"])


def describe_change(row: Row) -> str:
    """Both shares of a change, the interval of the difference, and its q-value."""
    interval = f"{format_difference(row['difference_low'])} to {format_difference(row['difference_high'])}"
    is_tested = row["q_value"] is not None
    test = f"q-value {format_q_value(row['q_value'])}" if is_tested else "too few to test"
    shares = f"{format_share(row['share'])} now, {format_share(row['before_share'])} before"
    return f"{shares}; 95 % interval {interval}; {test}"


def _draw_trend(row: Row, trends: TopicTrends, units: str) -> Markup:
    values = row["trend"]
    title = f"{row['label']}, {units} by {trends.bucket}: {', '.join(map(str, values[-12:]))}"
    return draw_sparkline(title, values)

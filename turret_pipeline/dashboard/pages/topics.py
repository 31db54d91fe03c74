"""Topics: a list that can be searched and sorted, their trends, themes and map."""

from dataclasses import replace

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.charts.lines import draw_sparkline
from turret_pipeline.dashboard.formats import describe_change, describe_share
from turret_pipeline.dashboard.page import Content, Page, previous_label
from turret_pipeline.dashboard.pages.topic_charts import draw_themes, draw_topic_trends, list_on_map, list_themes
from turret_pipeline.dashboard.pages.topic_links import link_to_list, link_to_list_before, link_to_users
from turret_pipeline.dashboard.pages.topic_sides import (
    Sides,
    list_segment_choices,
    list_segment_pairs,
    read_compared,
    read_sides,
)
from turret_pipeline.dashboard.tables import ROWS_SHOWN, ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
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
    sides = read_sides(page)
    rows, trends = _read_topics(page, field, sides)
    sort = page.state.get("sort", "difference" if sides else "unit_count")
    found = _sort(page, _search(page, rows), sort)
    counted = found.filter(pl.col("unit_count").is_not_null())
    themes = rows["theme_label"].drop_nulls().unique().sort().to_list()
    charts, tables = ({}, []) if sides else _draw_charts(page, field, rows, trends)
    values = {
        "field": field,
        "fields": list_topic_fields(page.published),
        "themes": themes,
        "topic_count": found["topic_id"].count(),
        "all_count": rows["topic_id"].count(),
        "unit_count": int(counted["unit_count"].sum()),
        "total_count": rows["total_count"].max() or 0,
        "has_suppressed": bool(rows["is_suppressed"].any()),
        "before_label": "" if sides else previous_label(page.state),
        "sides": sides,
        "compared": page.state.get_all("compare_segment"),
        "segment_choices": list_segment_choices(page.published),
        "pairs": [] if sides else list_segment_pairs(page),
        "sort": sort,
        "is_descending": page.state.get("order") != UP,
        **charts,
    }
    return Content("topics.html", "Topics", values, (_tabulate(page, field, found, trends, sides), *tables))


def _draw_charts(
    page: Page, field: TopicField, rows: pl.DataFrame, trends: TopicTrends
) -> tuple[dict[str, object], list[TableView]]:
    """The charts of all topics, and their tables."""
    chart, trend_table = draw_topic_trends(page, field, rows, trends)
    points, map_table = list_on_map(page, field, rows)
    charts: dict[str, object] = {"chart": chart, "treemap": draw_themes(page, field, rows), "points": points}
    return charts, [trend_table, list_themes(page, field, rows), map_table]


def read_figures(page: Page, field: TopicField) -> pl.DataFrame:
    """The figures of all topics of the field in the scope of the page.

    What has no topic is the row without a topic_id.
    """
    scope, before = page.state.scope(), page.state.previous_scope()
    return page.remember("topics", lambda: count_topics(page.published, field, scope, before), field, before)


def _read_topics(page: Page, field: TopicField, sides: Sides | None) -> tuple[pl.DataFrame, TopicTrends]:
    """The figures of all topics as this person may see them, with their trends."""
    scope, settings = page.state.scope(), page.project.settings
    if sides:
        scope = replace(scope, segments=(*scope.segments, sides.first))
    trends = page.remember(
        "topic trends",
        lambda: read_topic_trends(page.published, field, scope, settings.time_zone, settings.week_start),
        field,
        scope,
    )
    figures = read_compared(page, field, sides) if sides else read_figures(page, field)
    rows = figures.with_columns(pl.col("label").fill_null(NO_TOPIC_LABEL)).join(
        trends.rows, on="topic_id", how="left", nulls_equal=True, maintain_order="left"
    )
    nothing = pl.lit([0] * len(trends.days), pl.List(pl.Int64))
    return suppress_few_users(rows.with_columns(pl.col("trend").fill_null(nothing)), page.min_users), trends


def _search(page: Page, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows whose label, id or theme contains the words, of the chosen theme."""
    words, theme = page.state.get("q").lower().split(), page.state.get("theme")
    names = pl.concat_str("label", "topic_id", "theme_label", separator=" ", ignore_nulls=True).str.to_lowercase()
    found = rows.filter(names.str.contains(word, literal=True) for word in words) if words else rows
    return found.filter(pl.col("theme_label") == theme) if theme else found


def _sort(page: Page, rows: pl.DataFrame, column: str) -> pl.DataFrame:
    order = page.state.get("order")
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


def _tabulate(page: Page, field: TopicField, rows: pl.DataFrame, trends: TopicTrends, sides: Sides | None) -> TableView:
    units = f"{field.unit}s"

    def link(row: Row) -> str:
        return link_to_list(page, field, row["topic_id"], **(sides.link_first(page) if sides else {}))

    def link_users(row: Row) -> str | None:
        return link_to_users(page, field, row["topic_id"], **(sides.link_first(page) if sides else {}))

    def link_other(row: Row) -> str | None:
        if sides:
            return link_to_list(page, field, row["topic_id"], **sides.link_second(page))
        return link_to_list_before(page, field, row["topic_id"])

    columns = [
        ColumnView("label", "Topic", link=lambda row: link_to_topic(page, row), is_sortable=True),
        ColumnView("theme_label", "Theme", link=lambda row: _link_to_theme(page, row), is_sortable=True),
        ColumnView("unit_count", units.capitalize(), "count", link, is_sortable=True),
        ColumnView(
            "share",
            sides.titles[0] if sides else "Share",
            "share",
            hint=lambda row: _describe_share(row, units),
            is_sortable=True,
        ),
        ColumnView("user_count", "Users", "count", link_users, is_sortable=True),
    ]
    if sides or page.state.previous_scope() is not None:
        columns += [
            ColumnView(
                "before_share",
                sides.titles[1] if sides else "Before",
                "share",
                link_other,
                lambda row: describe_share(row["before_count"], row["before_total"], units),
                is_sortable=True,
            ),
            ColumnView(
                "difference",
                "Difference" if sides else "Change",
                "difference",
                hint=sides.describe_difference if sides else describe_change,
                is_sortable=True,
            ),
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


def _describe_share(row: Row, units: str) -> str:
    return describe_share(row["unit_count"], row["total_count"], units, row["share_low"], row["share_high"])


def _draw_trend(row: Row, trends: TopicTrends, units: str) -> Markup:
    values = row["trend"]
    title = f"{row['label']}, {units} by {trends.bucket}: {', '.join(map(str, values[-12:]))}"
    return draw_sparkline(title, values)

"""Topic: one topic with its figures in the scope of the page, the reasons for it, and forms to edit it."""

from typing import Any

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.charts.lines import Line, draw_lines
from turret_pipeline.dashboard.formats import describe_change
from turret_pipeline.dashboard.page import Content, Page, previous_label
from turret_pipeline.dashboard.pages.topic_edits import describe_edits
from turret_pipeline.dashboard.pages.topic_links import link_to_list, link_to_list_before, link_to_users
from turret_pipeline.dashboard.pages.topic_signals import tabulate_signals
from turret_pipeline.dashboard.pages.topic_tables import (
    list_texts,
    tabulate_measures,
    tabulate_neighbours,
    tabulate_outcomes,
    tabulate_retention,
    tabulate_segments,
)
from turret_pipeline.dashboard.pages.topics import read_figures
from turret_pipeline.dashboard.tables import ColumnView, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.topic_figures import (
    TopicField,
    TopicTrends,
    list_topic_fields,
    read_topic_trends,
    suppress_few_users,
)
from turret_pipeline.reports.topic_history import list_changes, read_lineage

PRIVACY = "privacy"
"""The label_source of a topic that combines those of too few users."""


def show_topic(page: Page) -> Content:
    """The page of a topic."""
    topic = read_topic(page, page.request.path_params["topic_id"])
    field = next(field for field in list_topic_fields(page.published) if field.name == topic["field"])
    figures = suppress_few_users(read_figures(page, field), page.min_users)
    found = figures.filter(pl.col("topic_id") == topic["topic_id"])
    row = found.row(0, named=True) if found.height else None
    is_suppressed = bool(row and row["is_suppressed"])
    has_texts = topic["label_source"] != PRIVACY and topic["user_count"] >= page.min_users
    chart, trend_table = _draw_trend(page, field, topic["topic_id"])
    is_shown = row is not None and not is_suppressed and row["unit_count"] > 0
    tables = [trend_table, *_list_tables(page, field, topic)] if is_shown else []
    if has_texts:
        tables.append(list_texts(page, field, topic["topic_id"]))
    values = {
        "topic": topic,
        "field": field,
        "row": row,
        "is_suppressed": is_suppressed,
        "is_filtered": bool(page.state.since or page.state.until or page.state.segments),
        "has_texts": has_texts,
        "change_hint": describe_change(row) if row and row["difference"] is not None else "",
        "links": {
            "list": link_to_list(page, field, topic["topic_id"]),
            "users": link_to_users(page, field, topic["topic_id"]),
            "before": link_to_list_before(page, field, topic["topic_id"]),
            "nearest": _link_to_topic(page, topic["nearest_topic_id"]),
            "merged": _link_to_topic(page, topic["merged_into_topic_id"]),
            "theme": page.state.to_page("topics", theme=topic["theme_label"], dimension=field.name),
            "texts": page.state.to_page("texts", field=field.name, topic=topic["topic_id"]),
            "journeys": page.state.to_page("journeys", node=topic["topic_id"], dimension=field.name),
        },
        "before_label": previous_label(page.state),
        "chart": chart if is_shown else Markup(),
        "lineage": list_changes(read_lineage(page.published, topic["topic_id"])),
        "edits": describe_edits(page, topic) if page.viewer.can_edit else None,
    }
    return Content("topic.html", topic["label"], values, tuple(tables))


def read_topic(page: Page, topic_id: str) -> dict[str, Any]:
    """The published row of a topic. Raises TurretError if it is unknown."""
    sql = """
        select topics.*, nearest.label as nearest_label from marts.topics as topics
        left join marts.topics as nearest on nearest.topic_id = topics.nearest_topic_id where topics.topic_id = ?
    """
    found = page.published.query(sql, topic_id)
    if found.is_empty():
        raise TurretError(f"Unknown topic {topic_id!r}. The page Topics lists all topics.")
    return found.row(0, named=True)


def _link_to_topic(page: Page, topic_id: str | None) -> str | None:
    return page.state.to_page(f"topics/{topic_id}") if topic_id else None


def _list_tables(page: Page, field: TopicField, topic: dict[str, Any]) -> list[TableView]:
    """The tables of a topic that has figures in the scope."""
    topic_id = topic["topic_id"]
    of_exchanges = (
        [tabulate_measures(page, topic_id), tabulate_signals(page, topic_id)] if field.unit == "exchange" else []
    )
    return [
        *of_exchanges,
        tabulate_segments(page, field, topic_id),
        tabulate_neighbours(page, field, topic_id, is_next=True),
        tabulate_neighbours(page, field, topic_id, is_next=False),
        tabulate_outcomes(page, topic_id),
        tabulate_retention(page, topic_id),
    ]


def _draw_trend(page: Page, field: TopicField, topic_id: str) -> tuple[Markup, TableView]:
    """The trend of the topic beside that of the previous period, with its table."""
    trends = _read_trend(page, field, topic_id, page.state.scope())
    frame = pl.DataFrame(
        {"bucket_date": list(trends.days), "unit_count": _list_counts(trends)},
        {"bucket_date": pl.String, "unit_count": pl.Int64},
    )
    units = f"{field.unit}s"
    columns = [
        ColumnView("bucket_date", "Day" if trends.bucket == "day" else "Week from"),
        ColumnView(
            "unit_count",
            units.capitalize(),
            "count",
            lambda row: link_to_list(page, field, topic_id, **{str(trends.bucket): row["bucket_date"]}),
        ),
    ]
    lines = [_make_line(units, frame, "bucket_date", "unit_count", "line-a")]
    if (before := _read_before(page, field, topic_id)) is not None and frame.height:
        frame = pl.concat([frame, before.head(frame.height)], how="horizontal_extend")
        columns += [
            ColumnView("before_date", "Before"),
            ColumnView(
                "before_count",
                f"{units.capitalize()} before",
                "count",
                lambda row: link_to_list_before(page, field, topic_id, day=row["before_date"]),
            ),
        ]
        lines.insert(0, _make_line(f"{units} before", frame, "before_date", "before_count", "line-muted"))
    title = f"{units.capitalize()} by {trends.bucket}"
    svg = draw_lines(title, trends.days, lines)
    return svg, TableView("trend", title, frame, tuple(columns), rows_shown=1000)


def _make_line(name: str, frame: pl.DataFrame, day: str, count: str, style: str) -> Line:
    values = frame[count].to_list()
    notes = [
        f"{when}: {value:,} {name}" if value is not None else "" for when, value in frame.select(day, count).rows()
    ]
    return Line(name, values, notes, style)


def _read_trend(page: Page, field: TopicField, topic_id: str, scope: Scope) -> TopicTrends:
    settings = page.project.settings

    def compute() -> TopicTrends:
        zone, week_start = settings.time_zone, settings.week_start
        return read_topic_trends(page.published, field, scope, zone, week_start, topic_id)

    return page.published.remember(("trend of topic", scope, field, topic_id), compute)


def _list_counts(trends: TopicTrends) -> list[int]:
    return trends.rows["trend"][0].to_list() if trends.rows.height else [0] * len(trends.days)


def _read_before(page: Page, field: TopicField, topic_id: str) -> pl.DataFrame | None:
    """Days and counts of the topic in the previous period; None without one, or if its trend is by week."""
    before = page.state.previous_scope()
    trends = None if before is None else _read_trend(page, field, topic_id, before)
    if trends is None or trends.bucket == "week":
        return None
    return pl.DataFrame(
        {"before_date": list(trends.days), "before_count": _list_counts(trends)},
        {"before_date": pl.String, "before_count": pl.Int64},
    )

"""Charts of all topics: trends with some highlighted, the treemap of themes, and the map."""

from typing import Any

import polars as pl
from markupsafe import Markup

from turret_pipeline.dashboard.charts.lines import Line, draw_lines
from turret_pipeline.dashboard.charts.treemap import Tile, draw_treemap
from turret_pipeline.dashboard.formats import describe_share
from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.pages.topic_links import link_to_list
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.topic_figures import TopicField, TopicTrends

STYLES = ("line-a", "line-b", "line-c", "line-d", "line-e")
"""Lines that people can tell apart; as many topics are highlighted at most."""

HIGHLIGHTED, DRAWN = 3, 30
"""Topics that are highlighted if none is chosen, and topics that have a line."""


def draw_topic_trends(
    page: Page, field: TopicField, rows: pl.DataFrame, trends: TopicTrends
) -> tuple[dict[str, Any], TableView]:
    """The trends of the largest topics, those chosen highlighted, and the table of these."""
    topics = rows.filter(pl.col("topic_id").is_not_null() & (pl.col("unit_count") > 0))
    chosen = _list_chosen(page, topics)
    drawn = pl.concat([topics.head(DRAWN), topics.filter(pl.col("topic_id").is_in(chosen))]).unique(
        "topic_id", keep="first", maintain_order=True
    )
    styles = dict(zip(chosen, STYLES, strict=False))
    lines = [_make_line(row, trends, styles.get(row["topic_id"])) for row in drawn.iter_rows(named=True)]
    lines.sort(key=lambda line: line.style != "line-faint")  # the highlighted ones on top
    title = f"{field.unit.capitalize()}s by {trends.bucket}, of {len(lines)} topics"
    names = dict(topics.select("topic_id", "label").iter_rows())
    chart = {
        "svg": draw_lines(title, trends.days, lines) if lines else Markup(),
        "choices": [
            (row["topic_id"], row["label"], styles.get(row["topic_id"], "")) for row in drawn.iter_rows(named=True)
        ],
    }
    by_topic = dict(topics.select("topic_id", "trend").iter_rows())
    frame = pl.DataFrame({"bucket_date": trends.days, **{topic_id: by_topic[topic_id] for topic_id in chosen}})
    day = ColumnView("bucket_date", "Day" if trends.bucket == "day" else "Week from")
    columns = (day, *(_make_column(page, field, trends, topic_id, names[topic_id]) for topic_id in chosen))
    return chart, TableView("trends", "Trends of the highlighted topics", frame, columns, rows_shown=1000)


def _make_column(page: Page, field: TopicField, trends: TopicTrends, topic_id: str, label: str) -> ColumnView:
    """The counts of a topic by day or week, each with the list of what it counts."""

    def link(row: Row) -> str:
        return link_to_list(page, field, topic_id, **{str(trends.bucket): row["bucket_date"]})

    return ColumnView(topic_id, label, "count", link)


def _list_chosen(page: Page, topics: pl.DataFrame) -> list[str]:
    """The topics of the parameter show that have something to draw; the largest without any."""
    asked = list(dict.fromkeys(page.state.get_all("show")))
    if len(asked) > len(STYLES):
        raise TurretError(f"Too many topics to highlight ({len(asked)}): choose at most {len(STYLES)}.")
    known = topics["topic_id"].to_list()
    return [topic_id for topic_id in asked if topic_id in known] or known[:HIGHLIGHTED]


def _make_line(row: Row, trends: TopicTrends, style: str | None) -> Line:
    notes = [f"{row['label']}, {day}: {value:,}" for day, value in zip(trends.days, row["trend"], strict=True)]
    return Line(row["label"], row["trend"], notes, style or "line-faint", has_dots=style is not None)


def list_themes(page: Page, field: TopicField, rows: pl.DataFrame) -> TableView:
    """A row per theme, with its exchanges or events."""
    counted = rows.filter(pl.col("theme_label").is_not_null() & pl.col("unit_count").is_not_null())
    total = rows["total_count"].max() or 0
    frame = (
        counted.group_by("theme_label")
        .agg(pl.col("topic_id").count().cast(pl.Int64).alias("topic_count"), pl.col("unit_count").sum())
        .with_columns(
            pl.lit(total).alias("total_count"),
            (pl.col("unit_count") / total).alias("share") if total else pl.lit(None, pl.Float64).alias("share"),
        )
        .sort(["unit_count", "theme_label"], descending=[True, False])
    )
    units = f"{field.unit}s"
    columns = (
        ColumnView("theme_label", "Theme", link=lambda row: page.state.change(theme=row["theme_label"])),
        ColumnView("topic_count", "Topics", "count", link=lambda row: page.state.change(theme=row["theme_label"])),
        ColumnView("unit_count", units.capitalize(), "count", lambda row: _link_to_theme(page, field, row)),
        ColumnView(
            "share", "Share", "share", hint=lambda row: describe_share(row["unit_count"], row["total_count"], units)
        ),
    )
    return TableView("themes", "Themes", frame, columns, rows_shown=1000)


def _link_to_theme(page: Page, field: TopicField, row: Row) -> str | None:
    if field.unit != "exchange":
        return None
    return page.state.to_page("exchanges", theme=row["theme_label"], dimension=field.name)


def draw_themes(page: Page, field: TopicField, rows: pl.DataFrame) -> Markup:
    """The treemap of themes with their topics, each of which leads to its page."""
    counted = rows.filter(pl.col("theme_label").is_not_null() & (pl.col("unit_count") > 0))
    themes: dict[str, list[Tile]] = {}
    for row in counted.iter_rows(named=True):
        note = f"{row['label']}: {describe_share(row['unit_count'], row['total_count'], f'{field.unit}s')}"
        url = page.state.to_page(f"topics/{row['topic_id']}")
        themes.setdefault(row["theme_label"], []).append(Tile(row["label"], row["unit_count"], url, note))
    return draw_treemap(f"Themes and topics by {field.unit}s", themes)


def list_on_map(page: Page, field: TopicField, rows: pl.DataFrame) -> tuple[list[dict[str, Any]], TableView]:
    """The points of the map for its script, and their table."""
    sql = "select topic_id, map_x, map_y from marts.topics where field = ? and map_x is not null"
    places = page.published.remember(("map", field), lambda: page.published.query(sql, field.name))
    frame = rows.select("topic_id", "label", "theme_label", "unit_count").join(
        places, on="topic_id", maintain_order="left"
    )
    points = [
        {
            "name": row["label"],
            "theme": row["theme_label"],
            "count": row["unit_count"],
            "x": row["map_x"],
            "y": row["map_y"],
            "url": page.state.to_page(f"topics/{row['topic_id']}"),
        }
        for row in frame.iter_rows(named=True)
    ]
    columns = (
        ColumnView("label", "Topic", link=lambda row: page.state.to_page(f"topics/{row['topic_id']}")),
        ColumnView("theme_label", "Theme"),
        ColumnView("map_x", "x", "number"),
        ColumnView("map_y", "y", "number"),
    )
    return points, TableView("map", "Map of topics", frame, columns, rows_shown=1000)

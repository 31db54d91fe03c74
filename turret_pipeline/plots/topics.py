"""Figures of topics: their sizes, and a map."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import polars as pl

from turret_pipeline.plots.canvas import (
    BLUE,
    GREY,
    HUES,
    create_sheet,
    ignore_missing_glyphs,
    shorten,
    write_legend,
)
from turret_pipeline.plots.fonts import drawable_label, font_families
from turret_pipeline.plots.label_placement import Disc
from turret_pipeline.plots.labels import write_labels

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

MAX_BARS, MAX_FIELDS = 20, 8
WIDTH, HEIGHT, HEADER_HEIGHT, MARGIN, MAX_RADIUS, MAX_LABELS = 800.0, 600.0, 44.0, 90.0, 22.0, 40
"""Lengths of the map in points, and the number of its labels."""


def draw_topic_sizes(definitions: pl.DataFrame, event_counts: pl.DataFrame) -> "Figure":
    """Bars of the largest topics by events, for the first MAX_FIELDS text fields; all other topics are one bar."""
    from matplotlib.figure import Figure

    active = definitions.filter(pl.col("status") == "active").join(event_counts, on="topic_id")
    fields = sorted(active["field"].unique())[:MAX_FIELDS]
    figure = Figure(
        figsize=(9, max(1.5, sum(0.28 * min(_topic_count(active, name), MAX_BARS + 1) + 1 for name in fields))), dpi=110
    )
    axes = figure.subplots(max(len(fields), 1), squeeze=False)[:, 0]
    for axis, name in zip(axes, fields, strict=False):
        _draw_bars(axis, name, active.filter(pl.col("field") == name))
    if not fields:
        axes[0].text(0.5, 0.5, "No topics: no text field, or too few texts", ha="center")
        axes[0].axis("off")
    with ignore_missing_glyphs():
        figure.tight_layout()
    return figure


def _draw_bars(axis: "Axes", field: str, topics: pl.DataFrame) -> None:
    ranked = topics.sort("event_count", "topic_id", descending=[True, False])
    shown = MAX_BARS if ranked.height > MAX_BARS + 1 else ranked.height  # a bar for all others is never a single topic
    labels, counts = _labels(ranked)[:shown], ranked["event_count"].to_list()[:shown]
    if shown < ranked.height:
        labels.append(f"{ranked.height - shown} other topics")
        counts.append(int(ranked["event_count"][shown:].sum()))
    axis.barh(range(len(labels)), counts, color=([BLUE] * shown + [GREY])[: len(labels)])
    axis.set_yticks(range(len(labels)), [shorten(label) for label in labels], fontsize=8, family=font_families())
    axis.invert_yaxis()
    axis.margins(y=0.01)
    axis.set_title(f"Events by topic of {shorten(field)}", loc="left", fontsize=10, family=font_families())
    axis.spines[["top", "right"]].set_visible(False)


def draw_topic_map(definitions: pl.DataFrame, event_counts: pl.DataFrame) -> "Figure":
    """Map of the topics of the text field with most events: near is alike, area is events, colour is theme."""
    topics = definitions.filter(pl.col("status") == "active").drop_nulls("map_x").join(event_counts, on="topic_id")
    if topics.is_empty():
        return create_sheet(WIDTH, 60, "No map of topics: no text field, or too few texts")[0]
    sizes = topics.group_by("field").agg(pl.col("event_count").sum())
    field = sizes.sort("event_count", "field", descending=[True, False])["field"][0]
    topics = topics.filter(pl.col("field") == field).sort("event_count", "topic_id", descending=[True, False])
    labelled = f"; the {MAX_LABELS} largest have their label" if topics.height > MAX_LABELS else ""
    title = f"Map of the {topics.height} topics of {shorten(field)}"
    figure, axis = create_sheet(WIDTH, HEIGHT, title, f"Distance: similarity; area: events; colour: theme{labelled}")
    themes = _name_themes(topics)
    has_rest = len(themes) > len(HUES) + 1  # grey never stands for a single theme without its name
    colours = dict(zip(themes, HUES if has_rest else (*HUES, GREY), strict=False))
    legend = [(themes[theme], colour) for theme, colour in colours.items()]
    if has_rest:
        legend.append((f"{len(themes) - len(legend)} other themes", GREY))
    bottom = write_legend(axis, legend, HEIGHT - HEADER_HEIGHT)
    _draw_map(axis, topics, colours, bottom)
    return figure


def _name_themes(topics: pl.DataFrame) -> dict[str, str]:
    """Labels of the themes by id, those of most events first."""
    by_theme = topics.group_by("theme_id").agg(pl.col("event_count").sum(), pl.col("theme_label").first())
    ranked = by_theme.sort("event_count", "theme_id", descending=[True, False])
    return {
        theme: drawable_label(label, theme) for theme, label in ranked.select("theme_id", "theme_label").iter_rows()
    }


def _draw_map(axis: "Axes", topics: pl.DataFrame, colours: Mapping[str, str], height: float) -> None:
    """Draw a disc for each topic below ``height``, and the labels of the largest."""
    from matplotlib.patches import Circle

    largest = int(topics["event_count"][0])
    discs = []
    for theme, x, y, count in topics.select("theme_id", "map_x", "map_y", "event_count").iter_rows():
        radius = max(MAX_RADIUS * math.sqrt(count / largest), 2.0)
        across, up = MARGIN + (x + 1) / 2 * (WIDTH - 2 * MARGIN), 20 + (y + 1) / 2 * (height - 40)
        discs.append(Disc(across, up, radius))
        axis.add_patch(Circle(discs[-1][:2], radius, facecolor=colours.get(theme, GREY), alpha=0.7, linewidth=0))
    write_labels(axis, discs[:MAX_LABELS], _labels(topics), [disc.box for disc in discs], height)


def _labels(topics: pl.DataFrame) -> list[str]:
    return [drawable_label(label, topic_id) for label, topic_id in topics.select("label", "topic_id").iter_rows()]


def _topic_count(active: pl.DataFrame, field: str) -> int:
    return active.filter(pl.col("field") == field).height

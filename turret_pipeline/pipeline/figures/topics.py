"""Pictures of topics: how large they are, and which are alike."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import polars as pl

from turret_pipeline.pipeline.figures.drawing import BLUE, GREY, kept, short

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BARS, MOST_FIELDS = 20, 8
LINE = 0.045
"""Height of a line of writing on the map."""


def topic_sizes(definitions: pl.DataFrame, event_counts: pl.DataFrame, folder: Path) -> dg.MetadataValue[Any]:
    """Bars of the largest topics of the first text fields by events; the rest is one bar and says so."""
    from matplotlib.figure import Figure

    active = definitions.filter(pl.col("status") == "active").join(event_counts, on="topic_id")
    fields = sorted(active["field"].unique())[:MOST_FIELDS]
    figure = Figure(
        figsize=(9, max(1.5, sum(0.28 * min(_size(active, name), BARS + 1) + 1 for name in fields))), dpi=110
    )
    axes = figure.subplots(max(len(fields), 1), squeeze=False)[:, 0]
    for axis, name in zip(axes, fields, strict=False):
        _draw_bars(axis, name, active.filter(pl.col("field") == name))
    if not fields:
        axes[0].text(0.5, 0.5, "No topics: there is no text field, or too few texts", ha="center")
        axes[0].axis("off")
    figure.tight_layout()
    return kept(figure, folder / "topic_sizes.png")


def _draw_bars(axis: "Axes", field: str, topics: pl.DataFrame) -> None:
    ranked = topics.sort("event_count", "topic_id", descending=[True, False])
    shown = BARS if ranked.height > BARS + 1 else ranked.height  # the rest is never a single topic
    labels, counts = ranked["label"].to_list()[:shown], ranked["event_count"].to_list()[:shown]
    if shown < ranked.height:
        labels.append(f"{ranked.height - shown} other topics")
        counts.append(int(ranked["event_count"][shown:].sum()))
    axis.barh(range(len(labels)), counts, color=([BLUE] * shown + [GREY])[: len(labels)])
    axis.set_yticks(range(len(labels)), [short(label) for label in labels], fontsize=8)
    axis.invert_yaxis()
    axis.margins(y=0.01)
    axis.set_title(f"Events by topic of {short(field)}", loc="left", fontsize=10)
    axis.spines[["top", "right"]].set_visible(False)


def topic_map(definitions: pl.DataFrame, event_counts: pl.DataFrame, folder: Path) -> dg.MetadataValue[Any]:
    """The topics of the text field with most events in the plane: near is alike, area is events, colour is theme."""
    from matplotlib.figure import Figure

    topics = definitions.filter(pl.col("status") == "active").drop_nulls("map_x").join(event_counts, on="topic_id")
    figure = Figure(figsize=(10, 7.5), dpi=110)
    axis = figure.subplots()
    axis.axis("off")
    if topics.is_empty():
        axis.text(0.5, 0.5, "No topics: there is no text field, or too few texts", ha="center")
        return kept(figure, folder / "topic_map.png")
    sizes = topics.group_by("field").agg(pl.col("event_count").sum())
    field = sizes.sort("event_count", "field", descending=[True, False])["field"][0]
    topics = topics.filter(pl.col("field") == field).sort("event_count", "topic_id", descending=[True, False])
    title = f"Map of the {topics.height} topics of {short(field)} (near: alike; area: events; colour: theme)"
    axis.set_title(title, loc="left", fontsize=10)
    _draw_map(axis, topics)
    figure.tight_layout()
    return kept(figure, folder / "topic_map.png")


def _draw_map(axis: "Axes", topics: pl.DataFrame) -> None:
    """A disc for each topic, and the labels of the largest that do not cover each other."""
    from matplotlib import colormaps

    themes = topics["theme_id"].unique(maintain_order=True).to_list()
    colours = [colormaps["tab20"](themes.index(theme) % 20) for theme in topics["theme_id"]]
    areas = 1500 * topics["event_count"] / topics["event_count"].sort()[-1]
    axis.scatter(topics["map_x"].to_list(), topics["map_y"].to_list(), s=areas.to_list(), c=colours, alpha=0.6, lw=0)
    axis.set_xlim(-1.2, 1.2)
    axis.set_ylim(-1.1, 1.1)
    written: list[tuple[float, float, float]] = []
    for label, x, y in topics.select("label", "map_x", "map_y").iter_rows():
        half = 0.0085 * len(short(label)) + 0.01
        if all(abs(y - below) > LINE or abs(x - beside) > half + other for beside, below, other in written):
            axis.text(x, y, short(label), fontsize=7, ha="center", va="center")
            written.append((x, y, half))


def _size(active: pl.DataFrame, field: str) -> int:
    return active.filter(pl.col("field") == field).height

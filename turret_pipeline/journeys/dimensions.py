"""The dimension that is shown first."""

import polars as pl

from turret_pipeline.tables import EVENT_NAME, USER


def main_dimension(nodes: pl.DataFrame) -> str:
    """The text field with the most events on its topics, or EVENT_NAME if no text field has topics."""
    of_fields = nodes.filter((pl.col("dimension") != EVENT_NAME) & ~pl.col("dimension").str.starts_with(USER))
    sizes = of_fields.group_by("dimension").agg(pl.col("event_count").sum())
    ranked = sizes.sort("event_count", "dimension", descending=[True, False])
    return str(ranked["dimension"][0]) if ranked.height else EVENT_NAME

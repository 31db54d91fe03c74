"""The dimension that is shown first, and its nodes that are no subject."""

import polars as pl

from turret_pipeline.tables import EVENT_NAME, USER
from turret_pipeline.tables.exchanges import PROMPT


def main_dimension(nodes: pl.DataFrame, roles: pl.DataFrame) -> str:
    """The field of prompts with the most events on its topics, else such a text field, else EVENT_NAME.

    ``nodes`` has dimension and event_count of ``journey_nodes``, and ``roles`` has role and field of
    ``exchange_roles``.
    """
    of_fields = nodes.filter((pl.col("dimension") != EVENT_NAME) & ~pl.col("dimension").str.starts_with(USER))
    prompts = roles.filter(pl.col("role") == PROMPT)["field"].unique()
    sizes = of_fields.group_by("dimension").agg(pl.col("event_count").sum())
    is_prompt = pl.col("dimension").is_in(prompts.implode())
    ranked = sizes.sort(is_prompt, "event_count", "dimension", descending=[True, True, False])
    return str(ranked["dimension"][0]) if ranked.height else EVENT_NAME


def list_follow_ups(topics: pl.DataFrame) -> list[str]:
    """The topics of follow-ups in order; ``topics`` has topic_id and role."""
    return topics.filter(pl.col("role") == "continuation")["topic_id"].sort().to_list()

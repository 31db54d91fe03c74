"""The changes of a topic over runs, in words."""

import datetime as dt
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import polars as pl

if TYPE_CHECKING:
    from turret_pipeline.reports.published_tables import PublishedTables

CHANGE_PHRASES = {
    "split": "split off",
    "merged": "merged into",
    "subject": "became a subject",
    "continuation": "became a follow-up",
}

_LINEAGE = """
select changed_at, topic_id, change, other_topic_id, overlap_share
from marts.topic_lineage left join marts.topic_runs using (run_id, field)
where topic_id = ? or other_topic_id = ? order by run_number, topic_id, change
"""


def read_lineage(published: "PublishedTables", topic_id: str) -> pl.DataFrame:
    """The changes of a topic, and those of others that involve it, in order."""
    return published.query(_LINEAGE, topic_id, topic_id)


def describe_lineage(lineage: pl.DataFrame) -> list[str]:
    """The changes of ``read_lineage`` as lines, with times in UTC."""
    return [f"{moment:%Y-%m-%d %H:%M} UTC: {words}" for moment, words in list_changes(lineage)]


def list_changes(lineage: pl.DataFrame) -> list[tuple[dt.datetime, str]]:
    """The time of each change of ``read_lineage``, and the change in words."""
    split_from = dict(lineage.filter(pl.col("change") == "split").select("topic_id", "other_topic_id").iter_rows())
    return [
        (row["changed_at"], _describe_change(row, split_from.get(row["topic_id"])))
        for row in lineage.iter_rows(named=True)
    ]


def _describe_change(row: Mapping[str, Any], split_from: str | None) -> str:
    """A change in words; a merge into the topic that it was split from, as after an undone split, is a merge back."""
    is_back = row["change"] == "merged" and row["other_topic_id"] == split_from
    change = "merged back into" if is_back else CHANGE_PHRASES.get(row["change"], row["change"])
    share = "" if row["overlap_share"] is None else f" ({row['overlap_share']:.0%})"
    other = (
        f" {'from ' if row['change'] == 'split' else ''}{row['other_topic_id']}{share}" if row["other_topic_id"] else ""
    )
    return f"{row['topic_id']} {change}{other}"

"""Subjects: the topics of every text field, by theme."""

from collections.abc import Iterator

import polars as pl

from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.model import FieldTopics, Finding, TopicLine
from turret_pipeline.reports.report.words import name_texts, plural, share_of
from turret_pipeline.topics.insights.periods import Period

CONTINUATION = "continuation"


def list_fields(data: ReportData) -> list[FieldTopics]:
    """The text fields with their topics: fields of prompts first, then by number of events."""
    prompts = data.exchanges["field"].unique()
    sizes = (
        data.occurrences.group_by("field")
        .len()
        .with_columns(pl.col("field").is_in(prompts.implode()).alias("is_prompt"))
    )
    order = sizes.sort("is_prompt", "len", "field", descending=[True, True, False])["field"]
    return [_list_topics(data, field) for field in order]


def _list_topics(data: ReportData, field: str) -> FieldTopics:
    rows = data.occurrences.filter(pl.col("field") == field)
    asked = data.exchanges.filter(pl.col("field") == field)
    own = rows.group_by("topic_id").agg(
        pl.len().alias("events"), pl.col("user_id").drop_nulls().n_unique().alias("users")
    )
    subjects = asked.group_by(pl.col("subject_topic_id").alias("topic_id")).agg(pl.len().alias("exchanges"))
    topics = (
        data.topics.join(own, on="topic_id")
        .join(subjects, on="topic_id", how="left")
        .with_columns(pl.col("exchanges").fill_null(0))
        .sort(pl.col("role") == CONTINUATION, "events", "topic_id", descending=[False, True, False])
    )
    lines = tuple(
        TopicLine(
            topic_id=row["topic_id"],
            label=row["label"],
            theme=row["theme_label"],
            is_follow_up=row["role"] == CONTINUATION,
            event_count=row["events"],
            event_share=row["events"] / rows.height,
            exchange_count=row["exchanges"],
            exchange_share=row["exchanges"] / asked.height if asked.height else None,
            user_count=row["users"],
            example=next(iter(row["example_texts"] or []), None),
        )
        for row in topics.iter_rows(named=True)
    )
    is_follow_up = pl.col("subject_topic_id").ne_missing(pl.col("topic_id"))
    notes = data.topic_runs.filter((pl.col("field") == field) & pl.col("note").is_not_null())["note"].to_list()
    return FieldTopics(
        field=field,
        event_count=rows.height,
        no_topic_count=rows["subject_topic_id"].null_count(),
        follow_up_count=rows.filter(is_follow_up).height,
        topics=lines,
        notes=tuple(notes),
    )


def describe_themes(data: ReportData, fields: list[FieldTopics], period: Period | None) -> Iterator[Finding]:
    """A finding per theme of a field, the largest first: the events whose subject is a topic of the theme."""
    for one in fields:
        rows = data.occurrences.filter(pl.col("field") == one.field)
        named = rows.join(
            data.topics.select("topic_id", "theme_label"), left_on="subject_topic_id", right_on="topic_id"
        )
        sizes = named.group_by("theme_label").agg(pl.len(), pl.col("subject_topic_id").n_unique().alias("topics"))
        for theme, count, topics in sizes.sort("len", "theme_label", descending=[True, False]).iter_rows():
            share = share_of(count, one.event_count, name_texts(one.field))
            yield Finding(
                kind="theme",
                sentence=f"{theme} ({plural(topics, 'topic')}): {share}, follow-ups included ({period}).",
                period=str(period),
                count=count,
                total=one.event_count,
                field=one.field,
                label=theme,
                evidence={"dimension": one.field, "theme": theme},
            )

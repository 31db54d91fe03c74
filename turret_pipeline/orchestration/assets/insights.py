"""Assets of group insight: trends of topics, and differences between segments."""

from collections.abc import Iterator

import dagster as dg
import polars as pl

from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import SHOWN, lake_spec, result
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD
from turret_pipeline.topics.insights.data_days import list_data_days
from turret_pipeline.topics.insights.languages import summarize_languages
from turret_pipeline.topics.insights.occurrences import collect_occurrences
from turret_pipeline.topics.insights.segments import topic_segments
from turret_pipeline.topics.insights.trends import find_loose_topics, last_day, topic_trends
from turret_pipeline.topics.lifecycle.privacy import users_of_texts

TABLES = {
    "data_days": ["events"],
    "topic_trends": ["events", "event_texts", "text_topics", "topic_definitions"],
    "topic_segments": ["events", "event_values", "fields", "event_texts", "text_topics", "topic_definitions"],
    "field_languages": ["events", "event_texts", "texts", "text_topics"],
}


@stage_assets("insight", [lake_spec(table, "insight", deps) for table, deps in TABLES.items()])
def insight(workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Find the days of the data, compare topics between days and between segments, and count the languages of texts."""
    lake, settings = workspace.lake, workspace.settings
    events = lake.read("events", "event_id", "session_id", "user_id", "event_at", "is_time_ahead")
    enums = lake.scan("fields").filter(pl.col("type") == "enum").select("field")
    values = (
        lake.scan("event_values").join(enums, on="field", how="semi").select("event_id", "field", "value").collect()
    )
    occurrences = collect_occurrences(events, lake.read("event_texts"), lake.read("text_topics"))
    definitions = lake.read("topic_definitions")
    with workspace.progress.during("Comparing topics"):
        last = last_day(events.filter(~pl.col("is_time_ahead"))["event_at"].dt.date(), settings.trend_days)
        trends = topic_trends(occurrences, last, settings.trend_days, find_loose_topics(definitions))
        segments = topic_segments(occurrences, values, settings.privacy_min_users)
    days = lake.write("data_days", list_data_days(events, settings.time_zone, settings.trend_days))
    yield result("data_days", days, days=days)
    languages = _languages(workspace, events)
    yield result("field_languages", languages, languages=languages.head(SHOWN))
    labels = definitions.select("topic_id", "label")
    trends, segments = lake.write("topic_trends", trends), lake.write("topic_segments", segments)
    emerging = trends.filter("is_emerging")
    yield result("topic_trends", trends, emerging_topics=emerging.height, emerging=_emerging(emerging, labels))
    different = segments.filter(pl.col("q_value") <= Q_VALUE_THRESHOLD)
    yield result(
        "topic_segments", segments, rows_that_differ=different.height, largest_differences=_largest(different, labels)
    )


def _languages(workspace: Workspace, events: pl.DataFrame) -> pl.DataFrame:
    """Table ``field_languages`` without languages of too few users."""
    lake, min_users = workspace.lake, workspace.settings.privacy_min_users
    texts = lake.read("texts")
    if min_users > 1:
        known = texts.join(users_of_texts(events, lake.read("event_texts")), on=["field", "text_id"])
        counts = known.group_by("field", "language").agg(pl.col("user_id").n_unique().alias("users"))
        disclosed = counts.filter(pl.col("users") >= min_users)
        texts = texts.join(disclosed, on=["field", "language"], how="semi", nulls_equal=True)
    return lake.write("field_languages", summarize_languages(texts, lake.read("text_topics")))


def _emerging(emerging: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    columns = ("field", "label", "recent_event_count", "before_event_count", "growth", "q_value")
    return emerging.join(labels, on="topic_id").sort("q_value", "topic_id").head(SHOWN).select(columns)


def _largest(different: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    columns = ("field", "label", "segment_field", "segment_value", "share_in_segment", "share_elsewhere", "q_value")
    ranked = different.join(labels, on="topic_id").sort(
        pl.col("difference").abs(), "topic_id", "segment_field", "segment_value", descending=[True, False, False, False]
    )
    return ranked.head(SHOWN).select(columns)

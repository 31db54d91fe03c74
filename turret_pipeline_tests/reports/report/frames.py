"""Small literal rows of a report."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import polars as pl

from turret_pipeline.reports.report.build import ReportOptions, build_report
from turret_pipeline.reports.report.data import SEGMENT, SIGNAL_FLAGS, ReportData
from turret_pipeline.reports.report.model import Answer, Finding
from turret_pipeline.reports.scope import Scope
from turret_pipeline.tables import JOURNEY_SEGMENTS, TOPIC_OUTCOMES

MONDAY = dt.date(2026, 1, 5)
Row = Mapping[str, Any]

EXCHANGE = pl.Schema(
    {
        "exchange_id": pl.UInt32(),
        "session_id": pl.String(),
        "user_id": pl.String(),
        "field": pl.String(),
        "topic_id": pl.String(),
        "subject_topic_id": pl.String(),
        "exchange_number": pl.Int64(),
        "answer_count": pl.Int64(),
        "model": pl.String(),
        "output_tokens": pl.Float64(),
        "cost_usd": pl.Float64(),
        "latency_seconds": pl.Float64(),
        "seconds_to_answer": pl.Float64(),
        "is_error": pl.Boolean(),
        "rating": pl.Float64(),
        **dict.fromkeys(SIGNAL_FLAGS, pl.Boolean()),
        "ending": pl.String(),
        "event_date": pl.Date(),
        "is_time_ahead": pl.Boolean(),
        "content_sha256": pl.String(),
    }
)


def ask(count: int, topic: str | None, start: int = 0, per_user: int = 1, **values: object) -> list[Row]:
    """Exchanges about a topic, each in a session of its own; ``per_user`` of them by each user."""
    defaults = {
        "field": "prompt",
        "exchange_number": 1,
        "answer_count": 1,
        "ending": "ended",
        "event_date": MONDAY,
        "is_time_ahead": False,
        "content_sha256": "first",
    }
    return [
        {
            **defaults,
            "session_id": f"{topic}-{start + number}",
            "user_id": f"user-{topic}-{(start + number) // per_user}",
            "topic_id": topic,
            "subject_topic_id": topic,
            **values,
        }
        for number in range(count)
    ]


def with_segment(rows: Sequence[Row], **segments: str) -> list[Row]:
    """The exchanges with values of enum fields."""
    return [{**row, "segments": {**row.get("segments", {}), **segments}} for row in rows]


def make_data(rows: Sequence[Row], **others: Any) -> ReportData:  # noqa: ANN401 - fields of ReportData
    """The rows of a report with these exchanges; every prompt is an occurrence of its topic."""
    numbered = [{"exchange_id": number, **row} for number, row in enumerate(rows)]
    exchanges = pl.DataFrame(
        [{name: row.get(name) for name in EXCHANGE.names()} for row in numbered], schema=EXCHANGE
    ).with_columns(_cluster())
    occurrences = exchanges.select(
        *("field", "topic_id", "subject_topic_id", "session_id", "user_id", "content_sha256"),
        *("is_time_ahead", "event_date", "cluster_id"),
    )
    segments = [
        {"exchange_id": row["exchange_id"], "segment_field": field, "segment_value": value, "side": "prompt"}
        for row in numbered
        for field, value in row.get("segments", {}).items()
    ]
    data = ReportData(
        scope=Scope(),
        topics=make_topics(*sorted({row["topic_id"] for row in rows if row["topic_id"]})),
        occurrences=occurrences,
        exchanges=exchanges.drop("content_sha256"),
        segments=pl.DataFrame(segments, schema=SEGMENT).sort("segment_field", "exchange_id"),
        journey_segments=JOURNEY_SEGMENTS.empty(),
        topic_outcomes=TOPIC_OUTCOMES.empty(),
        topic_runs=pl.DataFrame(schema={"field": pl.String(), "note": pl.String()}),
        born=pl.DataFrame(schema={"topic_id": pl.String()}),
        new_files=pl.DataFrame(schema={"content_sha256": pl.String()}),
        exchange_roles=make_roles(),
        is_later_run=False,
        session_count=exchanges["session_id"].n_unique(),
        user_count=exchanges["user_id"].drop_nulls().n_unique(),
    )
    return replace(data, **others)


def make_topics(*names: str, role: str = "subject") -> pl.DataFrame:
    """Topics of the field prompt whose labels are their ids in upper case."""
    return pl.DataFrame(
        {"topic_id": names, "field": "prompt", "label": [name.upper() for name in names], "theme_label": "Theme"},
        schema_overrides={"topic_id": pl.String(), "label": pl.String()},
    ).with_columns(
        pl.lit(role).alias("role"),
        pl.lit(0.5).alias("cohesion"),
        pl.lit(None, pl.List(pl.String())).alias("example_texts"),
    )


def make_roles(reason: str = "field") -> pl.DataFrame:
    """Roles of the events ask (prompts) and reply (answers)."""
    return pl.DataFrame(
        {"role": ["prompt", "answer"], "event_name": ["ask", "reply"], "field": ["prompt", ""], "reason": reason}
    )


def _cluster() -> pl.Expr:
    cluster = pl.coalesce(pl.lit("user ") + pl.col("user_id"), pl.lit("session ") + pl.col("session_id"))
    return cluster.rank("dense").cast(pl.Int64).alias("cluster_id")


def answer(data: ReportData, key: str, min_users: int = 1) -> Answer:
    """The answer of a report on these rows."""
    report = build_report(data, ReportOptions(min_users=min_users))
    return next(one for one in report.answers if one.key == key)


def findings(data: ReportData, key: str, min_users: int = 1) -> list[Finding]:
    """The findings of an answer."""
    return list(answer(data, key, min_users).findings)

"""Occurrences of topics."""

import datetime as dt

import polars as pl
from polars.testing import assert_frame_equal

from turret_pipeline.tables import EVENT_TEXTS, EVENTS, TEXT_TOPICS
from turret_pipeline.topics.insights.occurrences import OCCURRENCES_SCHEMA, collect_occurrences

LATE = dt.datetime(2026, 3, 1, 23, 59, tzinfo=dt.UTC)


def events(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    columns = ["event_id", "session_id", "user_id"]
    return pl.DataFrame(rows, dict.fromkeys(columns, pl.String), orient="row").with_columns(event_at=pl.lit(LATE))


def test_the_cluster_of_an_event_is_its_user_or_else_its_session() -> None:
    found = collect_occurrences(
        events(("e1", "s1", "u1"), ("e2", "s2", "u1"), ("e3", "s3", None), ("e4", "s3", None), ("e5", "s4", "s3")),
        pl.DataFrame(
            [*((f"e{number}", "prompt", "t1") for number in (5, 3, 1, 4)), ("e2", "prompt", None)],
            EVENT_TEXTS.schema,
            orient="row",
        ),
        pl.DataFrame(
            [(field, "t1", f"{field}-1", 1.0, None, None, f"{field}-1", "model") for field in ("prompt", "other")],
            TEXT_TOPICS.schema,
            orient="row",
        ),
    )
    assert found.drop("cluster_id").sort("event_id").rows() == [
        ("prompt", "e1", "prompt-1", "s1", dt.date(2026, 3, 1)),
        ("prompt", "e2", None, "s2", dt.date(2026, 3, 1)),
        ("prompt", "e3", "prompt-1", "s3", dt.date(2026, 3, 1)),
        ("prompt", "e4", "prompt-1", "s3", dt.date(2026, 3, 1)),
        ("prompt", "e5", "prompt-1", "s4", dt.date(2026, 3, 1)),
    ]
    cluster = dict(found.select("event_id", "cluster_id").iter_rows())
    assert cluster["e1"] == cluster["e2"]
    assert cluster["e3"] == cluster["e4"]
    assert len(set(cluster.values())) == 3


def test_no_events_have_no_occurrences() -> None:
    found = collect_occurrences(EVENTS.empty(), EVENT_TEXTS.empty(), TEXT_TOPICS.empty())
    assert_frame_equal(found, OCCURRENCES_SCHEMA.to_frame())

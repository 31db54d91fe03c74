"""Topics as text, from rows of the published tables."""

import datetime as dt

import polars as pl

from turret_pipeline.cli.topic_views import topic_lines

TOPIC = {
    "topic_id": "prompt-3", "field": "prompt", "label": "Parcel", "label_source": "keywords", "description": "Texts.",
    "event_count": 0, "event_share": 0.0, "text_count": 0, "user_count": 0, "theme_label": "Parcel", "role": "subject",
    "role_reason": "It is one.", "cohesion": None, "keywords": [], "example_texts": [], "status": "retired",
    "merged_into_topic_id": None, "is_locked": False, "is_emerging": False, "growth": None,
}  # fmt: skip
NO_SIGNALS = pl.DataFrame(schema={"signal": pl.String()})
NO_LINEAGE = pl.DataFrame(schema=dict.fromkeys(("topic_id", "other_topic_id", "change"), pl.String()))
NOON = dt.datetime(2024, 5, 1, 12, tzinfo=dt.UTC)


def history(*changes: tuple[str, str, str | None, float | None]) -> list[str]:
    """The changes as text, without their times."""
    columns = ["topic_id", "change", "other_topic_id", "overlap_share"]
    lineage = pl.DataFrame(changes, columns, orient="row").with_columns(pl.lit(NOON).alias("changed_at"))
    lines = topic_lines(TOPIC, None, lineage, NO_SIGNALS)
    return [line.removeprefix("  2024-05-01 12:00 UTC: ") for line in lines[lines.index("History:") + 1 :]]


def test_a_part_whose_split_was_undone_merged_back() -> None:
    assert history(("prompt-3", "split", "prompt-1", 0.25), ("prompt-3", "merged", "prompt-1", 1.0)) == [
        "prompt-3 split off from prompt-1 (25%)",
        "prompt-3 merged back into prompt-1 (100%)",
    ]


def test_a_topic_that_merges_into_another_than_it_came_from_is_merged() -> None:
    changes = (
        ("prompt-3", "split", "prompt-1", 0.25),
        ("prompt-3", "merged", "prompt-2", 0.5),
        ("prompt-4", "merged", "prompt-3", 0.5),
    )
    assert history(*changes)[1:] == ["prompt-3 merged into prompt-2 (50%)", "prompt-4 merged into prompt-3 (50%)"]


def test_signals_are_shown_with_interval_rest_and_whether_they_differ() -> None:
    columns = [
        "signal",
        "exchange_count",
        "signal_count",
        "signal_share",
        "share_low",
        "share_high",
        "base_share",
        "q_value",
    ]
    signals = pl.DataFrame(
        [
            ("struggle", 1000, 240, 0.24, 0.2, 0.28, 0.1, 0.05),
            ("badly_rated", 20, 5, 0.25, 0.112, 0.469, 0.2, 0.4),
            ("declined", 3, 0, 0.0, 0.0, 0.561, None, None),
        ],
        columns,
        orient="row",
    )
    lines = topic_lines(TOPIC, None, NO_LINEAGE, signals)
    assert lines[lines.index("Keywords: none") + 1 :] == [
        "Signals of its exchanges, with 95 % intervals:",
        "  declined 0.0% (0 of 3; 0.0% to 56.1%)",
        "  badly rated 25.0% (5 of 20; 11.2% to 46.9%), at other topics 20.0%",
        "  struggle 24.0% (240 of 1,000; 20.0% to 28.0%), at other topics 10.0% (beyond chance)",
    ]
    assert topic_lines(TOPIC, None, NO_LINEAGE, NO_SIGNALS)[-1] == "Keywords: none"

"""Parts of many files to the canonical tables: each event once, in order, with a session; every row accounted for."""

import polars as pl

from turret_pipeline.tables import EVENT_VALUES, EVENTS

ORDER = ("event_at", "source_file", "line_number", "item_number")
"""The order of events: time, then the order of the source."""


def canonical_events(parts: pl.DataFrame, session_gap_minutes: float) -> pl.DataFrame:
    """Table ``events`` (with content_sha256) in ORDER: of equal event_id the first; missing sessions derived."""
    distinct = parts.sort(*ORDER, "content_sha256").unique("event_id", keep="first", maintain_order=True)
    return with_sessions(distinct, session_gap_minutes).select(*EVENTS.schema.names(), "content_sha256")


def with_sessions(events: pl.DataFrame, gap_minutes: float) -> pl.DataFrame:
    """Fill session_id where it is missing and say so in is_session_derived.

    A derived session is a user's events without a silence longer than the gap, named after its first event. An event
    without a user is a session by itself. ``events`` come in ORDER.
    """
    gap = pl.duration(microseconds=int(gap_minutes * 60e6))
    has_user = pl.col("session_id").is_null() & pl.col("user_id").is_not_null()
    silence = pl.col("event_at").diff().over("user_id", pl.col("session_id").is_null())
    opens = has_user & (silence.is_null() | (silence > gap))
    opener = pl.when(opens | ~has_user).then("event_id")
    derived = pl.concat_str(pl.lit("session-"), opener.forward_fill().over("user_id", pl.col("session_id").is_null()))
    return events.with_columns(
        pl.col("session_id").is_null().alias("is_session_derived"),
        pl.coalesce("session_id", derived).alias("session_id"),
    )


def accepted_values(events: pl.DataFrame, values: pl.LazyFrame) -> pl.DataFrame:
    """Table ``event_values``: the metadata values of the events that were kept."""
    place = ["event_id", "content_sha256", "line_number", "item_number"]
    kept = values.join(events.lazy().select(place), on=place, how="semi")
    return kept.select(EVENT_VALUES.schema.names()).sort("field", "event_id").collect()


def account_for_rows(
    files: pl.DataFrame, parts: pl.DataFrame, events: pl.DataFrame, rejected: pl.DataFrame
) -> pl.DataFrame:
    """Table ``source_files``: for every file rows read, kept, known already and refused.

    ``files`` has source_file, content_sha256, row_count and ingested_at; ``parts`` are all parsed events, ``events``
    those that were kept.
    """
    lines = pl.col("line_number").n_unique().cast(pl.Int64)
    parsed = parts.group_by("content_sha256").agg(
        lines.alias("parsed_count"),
        pl.col("source_format").unique().sort().str.join(",").alias("source_format"),
        pl.col("event_at").min().alias("first_event_at"),
        pl.col("event_at").max().alias("last_event_at"),
    )
    kept = events.group_by("content_sha256").agg(lines.alias("accepted_count"))
    refused = rejected.group_by("content_sha256").agg(lines.alias("rejected_count"))
    counts = ["parsed_count", "accepted_count", "rejected_count"]
    joined = files
    for part in (parsed, kept, refused):
        joined = joined.join(part, on="content_sha256", how="left", validate="1:1")
    return (
        joined.with_columns(pl.col(counts).fill_null(0))
        .with_columns((pl.col("parsed_count") - pl.col("accepted_count")).alias("duplicate_count"))
        .sort("source_file", "content_sha256")
    )

"""Events without what identifies a person, before they reach the lake."""

from dataclasses import dataclass, field

import polars as pl

from turret_pipeline.scrubbing.identifiers import hashed
from turret_pipeline.scrubbing.stored import SCRUBBED_COUNTS, scrub_documents, scrub_texts

HIDDEN = "(hidden: user ids are hashed)"


@dataclass(frozen=True)
class Privacy:
    """What is hidden: ``kinds`` of marks in the texts of metadata, and user ids where there is a ``salt``."""

    kinds: frozenset[str] = field(default_factory=frozenset)
    salt: str | None = field(default=None, repr=False)


NOTHING_HIDDEN = Privacy()


def protect_events(events: pl.DataFrame, privacy: Privacy) -> tuple[pl.DataFrame, pl.DataFrame]:
    """The events with marks in their metadata and hashed user ids, and SCRUBBED_COUNTS of the marks."""
    counts = SCRUBBED_COUNTS.to_frame()
    if privacy.kinds:
        scrubbed = scrub_documents(events["metadata"], privacy.kinds)
        events, counts = events.with_columns(scrubbed.documents.alias("metadata")), scrubbed.counts
    if privacy.salt is not None:
        events = events.with_columns(hashed(events["user_id"], privacy.salt).alias("user_id"))
    return events, counts


def protect_rejected(rejected: pl.DataFrame, privacy: Privacy) -> pl.DataFrame:
    """Refused rows with marks in what they say, or without it where user ids are hashed: one may stand anywhere."""
    if privacy.salt is not None:
        reason = pl.concat_str(pl.col("reason_code").str.replace_all("_", " "), pl.lit(f" {HIDDEN}"))
        return rejected.with_columns(reason.alias("reason"), pl.lit(HIDDEN).alias("raw_text"))
    if not privacy.kinds:
        return rejected
    return rejected.with_columns(
        scrub_texts(rejected[name], privacy.kinds).alias(name) for name in ("reason", "raw_text")
    )

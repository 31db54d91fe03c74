"""Removal of personal data from events, rejected rows and evidence of identities before they reach the lake."""

from dataclasses import dataclass, field

import polars as pl

from turret_pipeline.events.user_ids import hash_own_ids
from turret_pipeline.scrubbing.batch import SCRUBBED_COUNTS, scrub_documents, scrub_texts
from turret_pipeline.scrubbing.identifiers import ErasedIds, hash_ids, hash_salt

HIDDEN = "(hidden: user ids are hashed)"


@dataclass(frozen=True)
class Privacy:
    """``kinds`` of personal data to replace by marks in metadata, and a ``salt`` to hash user ids with, if any."""

    kinds: frozenset[str] = field(default_factory=frozenset)
    salt: str | None = field(default=None, repr=False)
    erased_ids: ErasedIds | None = None

    def hash_ids(self, ids: pl.Series) -> pl.Series:
        """Ids hashed with the salt; those of erased users as their tombstones hash them."""
        if self.salt is None:
            return ids
        return hash_ids(ids, self.salt) if self.erased_ids is None else self.erased_ids.hash_ids(ids, self.salt)

    @property
    def stamp(self) -> str:
        """A text that says how data is protected, without the salt."""
        return f"{hash_salt(self.salt) if self.salt else ''} {' '.join(sorted(self.kinds))}"

    def is_as_strict_as(self, stamp: str) -> bool:
        """True if data with this stamp needs no further protection: the same salt, and no kind is new."""
        salt, *kinds = stamp.split(" ")
        return salt == self.stamp.split(" ")[0] and self.kinds <= {*kinds}


NOTHING_HIDDEN = Privacy()


def protect_events(
    events: pl.DataFrame, identities: pl.DataFrame, privacy: Privacy
) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Events with marks in their metadata and hashed user ids, and the counts of the marks (SCRUBBED_COUNTS).

    ``identities`` is the evidence of identities in the same rows, with ids as sent.
    """
    counts = SCRUBBED_COUNTS.to_frame()
    if privacy.salt is not None:  # before scrubbing, because an id may be an e-mail address
        events = hash_own_ids(events, identities, privacy.salt)
    if privacy.kinds:
        scrubbed = scrub_documents(events["metadata"], privacy.kinds)
        events, counts = events.with_columns(scrubbed.documents.alias("metadata")), scrubbed.counts
    if privacy.salt is not None:
        events = events.with_columns(privacy.hash_ids(events["user_id"]).alias("user_id"))
    return events, counts


def protect_identities(identities: pl.DataFrame, privacy: Privacy) -> pl.DataFrame:
    """Evidence of identities with hashed ids, so that they still equal those of the events."""
    if privacy.salt is None:
        return identities
    return identities.with_columns(privacy.hash_ids(identities[name]).alias(name) for name in ("sent_id", "linked_id"))


def protect_rejected(rejected: pl.DataFrame, privacy: Privacy) -> pl.DataFrame:
    """Rejected rows with marks in reason and text.

    If user ids are hashed, reason and text are hidden, because a user id may be anywhere in them.
    """
    if privacy.salt is not None:
        reason = pl.concat_str(pl.col("reason_code").str.replace_all("_", " "), pl.lit(f" {HIDDEN}"))
        return rejected.with_columns(reason.alias("reason"), pl.lit(HIDDEN).alias("raw_text"))
    if not privacy.kinds:
        return rejected
    return rejected.with_columns(
        scrub_texts(rejected[name], privacy.kinds).alias(name) for name in ("reason", "raw_text")
    )

"""Erasure from a data folder: tombstones first, then everything that they are about, so that a kill loses no step."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass

from turret_pipeline.clock import now
from turret_pipeline.config.pipeline import Settings
from turret_pipeline.erasure.matching import Match, build_mention_test, find_match
from turret_pipeline.erasure.removal import erase_from_landing, remove_from_parts
from turret_pipeline.erasure.traces import clean_traces, find_erased_texts, remove_derived
from turret_pipeline.ingest.canonical import CanonicalOptions
from turret_pipeline.ingest.parts import PartStore
from turret_pipeline.scrubbing.identifiers import hash_id
from turret_pipeline.storage.atomic_files import list_leftovers, remove
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.tombstones import EVENT, FILE, USER, Tombstones

RETENTION, READ_AGAIN = "retention", "read again"
"""Reasons of an erasure that nobody asked for: rows became too old, or an input brought erased rows back."""


@dataclass(frozen=True)
class Counts:
    """Numbers of what an erasure removes."""

    event_count: int
    row_count: int
    rejected_count: int
    id_count: int

    @classmethod
    def of(cls, match: Match) -> "Counts":
        """The numbers of a match; rows are those of files, with the rejected ones."""
        rows = match.rows.select("content_sha256", "line_number", "row_in_line").unique().height
        return cls(match.event_ids.len(), rows + match.rejected.height, match.rejected.height, len(match.user_ids))


def canonical_options(settings: Settings) -> CanonicalOptions:
    """The settings of sessions, clocks and users."""
    return CanonicalOptions(settings.session_gap_minutes, settings.clock_tolerance_minutes, settings.resolve_identities)


def find_forms(value: str, settings: Settings) -> list[str]:
    """An id as it was sent, and as the parts have it if user ids are hashed."""
    return [value] if settings.salt is None else [value, hash_id(value, settings.salt)]


def add_tombstones(
    tombstones: Tombstones, settings: Settings, values: dict[str, Collection[str]], before: dt.datetime | None
) -> None:
    """Add the tombstones of ids by kind (that of a file is the hash of its content) and of a time, and request them."""
    for kind, ids in values.items():
        if ids:
            forms = [form for value in ids for form in find_forms(value, settings)] if kind == USER else ids
            tombstones.add(kind, forms)
            tombstones.request(kind, len(ids), now())
    if before is not None:
        tombstones.add_cutoff(before)
        tombstones.request("before", 1, now())


def find_cutoff(tombstones: Tombstones, settings: Settings, at: dt.datetime) -> dt.datetime | None:
    """The time before which nothing is kept: that of a tombstone, or the day of the setting retention_days."""
    day = at.replace(hour=0, minute=0, second=0, microsecond=0)
    oldest = None if settings.retention_days is None else day - dt.timedelta(days=settings.retention_days)
    return max((time for time in (tombstones.cutoff(), oldest) if time is not None), default=None)


def match_tombstones(data: DataDir, settings: Settings, tombstones: Tombstones) -> Match:
    """Everything in the folder that the tombstones are about, or that is older than the retention."""
    cutoff = find_cutoff(tombstones, settings, now())
    return find_match(PartStore(data.parts), data.lake, canonical_options(settings), tombstones, cutoff)


def needs_erasure(data: DataDir, settings: Settings) -> bool:
    """True if an erasure was requested, a retention is set, or something new was read that tombstones may be about."""
    tombstones = data.tombstones
    if tombstones.pending() or settings.retention_days is not None:
        return True
    last = None if tombstones.is_empty() else data.warehouse.last_run()
    is_new = last is None or last["input_sha256"] != PartStore(data.parts).fingerprint()
    return is_new and not tombstones.is_empty()


def erase(data: DataDir, settings: Settings, run_id: str) -> Counts | None:
    """Remove everything that tombstones and retention are about; None if there is nothing.

    Needs the lock of the folder. The published file stays until the next publication, after which ``finish_erasure``
    removes it.
    """
    tombstones = data.tombstones
    match = match_tombstones(data, settings, tombstones)
    is_requested = bool(tombstones.pending())
    if match.is_empty() and not is_requested:
        return None
    if not is_requested:
        tombstones.request(READ_AGAIN if settings.retention_days is None else RETENTION, 0, now())
    tombstones.add(USER, match.user_ids)
    tombstones.add(EVENT, match.other_event_ids)
    counts = Counts.of(match)
    tombstones.log(now(), vars(counts), run_id)
    is_mentioned = build_mention_test(tombstones)
    clean_traces(data, find_erased_texts(data.lake, match, is_mentioned), frozenset(match.event_ids))
    parts = PartStore(data.parts)
    remove_from_parts(parts, match)
    erased_files = frozenset(tombstones.select(FILE, parts.content_hashes()))
    erase_from_landing(parts, data.landing, is_mentioned, erased_files)
    remove_derived(data)
    for leftover in list_leftovers(data.landing):
        remove(leftover)
    return counts


def finish_erasure(data: DataDir, run_id: str) -> None:
    """Remove what the publication superseded, if an erasure is pending, and note that it is done."""
    if data.tombstones.pending():
        data.warehouse.remove_superseded(run_id)
        data.tombstones.finish()

"""A batch of records on its way to disk: ids that are the same when it is sent again, and its lines."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from turret_pipeline.collector.paths import V1_EVENTS
from turret_pipeline.collector.wire.events import count_events

_ID_BYTES = 16


def utc_text(seconds: float) -> str:
    """A time as it stands in landing files."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="microseconds")


@dataclass
class Batch:
    """Records of one request by one key to one path.

    The id of an event is a hash of key, path, its place in the batch and its content. Two batches that say no time may
    be equal and yet two: within the window in which a batch is known they are one, and ``first_at`` tells the windows
    apart.
    """

    key_id: str
    path: str
    raw: bytes
    records: list[dict[str, Any]]
    places: list[int]

    @property
    def is_known_by_bytes(self) -> bool:
        """Whether equal bytes are the same batch sent again: on our own path where every event says which it is."""
        return self.path != V1_EVENTS or all("event_id" in record or "timestamp" in record for record in self.records)

    @property
    def event_count(self) -> int:
        """Number of events, as limits and metrics count them."""
        return sum(map(count_events, self.records))

    @cached_property
    def fingerprint(self) -> bytes:
        """By what the batch is known when it is sent again: the same key, path and bytes."""
        return hashlib.blake2b(self.raw, digest_size=_ID_BYTES, key=self._scope).digest()

    def ids(self, first_at: float) -> list[str]:
        """The id of each event, the client's own where it gave one."""
        moment = repr(first_at).encode()
        return [
            record.get("event_id") or self._id(place, record, moment)
            for place, record in zip(self.places, self.records, strict=True)
        ]

    def lines(self, first_at: float) -> bytes:
        """The records as lines of a landing file; one that says no time happened when it was received."""
        received_at = utc_text(first_at)
        ids = self.ids(first_at)
        lines = [
            orjson.dumps(
                {"timestamp": received_at, **record, "event_id": event_id, "received_at": received_at},
                option=orjson.OPT_APPEND_NEWLINE,
            )
            for event_id, record in zip(ids, self.records, strict=True)
        ]
        return b"".join(lines)

    @cached_property
    def _scope(self) -> bytes:
        return f"{self.key_id} {self.path}".encode()[:64]

    def _id(self, place: int, record: dict[str, Any], moment: bytes) -> str:
        content = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.blake2b(b"%d " % place, digest_size=_ID_BYTES, key=self._scope)
        digest.update(content)
        if "timestamp" not in record:
            digest.update(moment)
        return f"evt_{digest.hexdigest()}"

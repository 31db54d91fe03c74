"""Batch of records of one request, with event ids that stay the same when it is sent again."""

import datetime as dt
import hashlib
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import orjson

from turret_pipeline.collector.paths import V1_EVENTS
from turret_pipeline.collector.wire.events import count_events

_ID_BYTES = 16


def format_utc(seconds: float) -> str:
    """Unix time as the text that landing files contain."""
    return dt.datetime.fromtimestamp(seconds, dt.UTC).isoformat(timespec="microseconds")


@dataclass
class Batch:
    """Records of one request by one key to one path, with their positions in the request.

    The id of an event is a hash of key, path, position and content. For events without a time the hash includes
    ``first_at``, the time at which the batch first arrived. So an equal batch after the deduplication window gets other
    ids.
    """

    key_id: str
    path: str
    raw: bytes
    records: list[dict[str, Any]]
    positions: list[int]

    @property
    def is_deduplicable(self) -> bool:
        """True if equal bytes mean the same batch sent again: on /v1/events only if every event has an id or a time."""
        return self.path != V1_EVENTS or all("event_id" in record or "timestamp" in record for record in self.records)

    @property
    def event_count(self) -> int:
        """Number of events, as limits and metrics count them."""
        return sum(map(count_events, self.records))

    @cached_property
    def fingerprint(self) -> bytes:
        """Hash of key, path and bytes, to recognize the batch when it is sent again."""
        return hashlib.blake2b(self.raw, digest_size=_ID_BYTES, key=self._scope).digest()

    def event_ids(self, first_at: float) -> list[str]:
        """Id of each event; ids of the client are kept."""
        first_at_bytes = repr(first_at).encode()
        return [
            record.get("event_id") or self._event_id(position, record, first_at_bytes)
            for position, record in zip(self.positions, self.records, strict=True)
        ]

    def lines(self, first_at: float) -> bytes:
        """The records as lines of a landing file; an event without a time gets that of its receipt."""
        received_at = format_utc(first_at)
        ids = self.event_ids(first_at)
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

    def _event_id(self, position: int, record: dict[str, Any], first_at_bytes: bytes) -> str:
        content = orjson.dumps(record, option=orjson.OPT_SORT_KEYS)
        digest = hashlib.blake2b(b"%d " % position, digest_size=_ID_BYTES, key=self._scope)
        digest.update(content)
        if "timestamp" not in record:
            digest.update(first_at_bytes)
        return f"evt_{digest.hexdigest()}"

"""What a row of any format becomes: events, or a refusal."""

import datetime as dt
from dataclasses import dataclass
from typing import Any


class Rejection(Exception):  # noqa: N818 - a verdict on a row, not an error of the program
    """A row that cannot become an event: a short code to count by and a sentence."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)  # both, so that it can be pickled
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Event:
    """A canonical event before it has an id of its own and a session.

    ``event_at`` is None where the source gives no time; ``is_zone_assumed`` where it gives one without a zone, which
    was taken as UTC.
    """

    event_id: str | None
    event_name: str
    session_id: str | None
    user_id: str | None
    event_at: dt.datetime | None
    received_at: dt.datetime | None
    source_format: str
    metadata: dict[str, Any]
    is_zone_assumed: bool = False

"""Results of parsing a row: events, or a rejection."""

import datetime as dt
from dataclasses import dataclass
from typing import Any


class Rejection(Exception):  # noqa: N818 - a decision about a row, not an error of the program
    """The reason why a row cannot become an event: a short code to count by, and a sentence for people."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code, reason)  # both, so that it can be pickled
        self.code = code
        self.reason = reason

    def __str__(self) -> str:
        return self.reason


@dataclass(frozen=True)
class Event:
    """A canonical event before it has a session and, if its source gives none, an id.

    ``event_at`` is None if the source gives no time. ``is_zone_assumed`` is true if the source gives a time without a
    zone, which is then read in the zone of the format. ``nanosecond`` is what the time has after ``event_at``, from 0
    to 999. ``is_repaired`` is true if a JSON text in its row held a value that no table can hold, which was replaced.
    ``is_session_lone`` is true if its source gives neither session nor user, and its session is that of its trace.
    ``is_session_assumed`` and ``is_user_assumed`` are true for ids that the collector made up. ``is_textless`` is true
    for a prompt, an answer or a call of a model for which the source has no text.
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
    is_repaired: bool = False
    nanosecond: int = 0
    is_textless: bool = False
    is_tool_call: bool = False
    is_session_lone: bool = False
    is_session_assumed: bool = False
    is_user_assumed: bool = False
    trace_id: str | None = None
    """Trace of the event in its source. Events of one trace have one session and one user."""

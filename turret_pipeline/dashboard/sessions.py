"""Sessions of people who logged in, in the memory of the server: a restart ends them all."""

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from turret_pipeline.dashboard.credentials import Credential


@dataclass
class Session:
    """A person who logged in. A form must send ``csrf_token`` back, which no other site can read."""

    credential: Credential
    started_at: float
    used_at: float
    csrf_token: str = field(default_factory=lambda: secrets.token_urlsafe(24))


class Sessions:
    """All sessions, by the hash of their ids. Each ends when it is idle or old."""

    def __init__(self, idle_seconds: float, max_seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._idle_seconds, self._max_seconds, self._clock = idle_seconds, max_seconds, clock
        self._sessions: dict[str, Session] = {}

    def start(self, credential: Credential) -> str:
        """Start a session and return its id, 256 random bits that only the browser of the person has."""
        for key in [key for key, session in self._sessions.items() if self._has_ended(session)]:
            del self._sessions[key]
        session_id = secrets.token_urlsafe(32)
        now = self._clock()
        self._sessions[_hash(session_id)] = Session(credential, now, now)
        return session_id

    def find(self, session_id: str, *, is_use: bool = True) -> Session | None:
        """The session with this id; None if it is unknown or has ended. A use delays the end of an idle session."""
        session = self._sessions.get(_hash(session_id))
        if session is None or self._has_ended(session):
            return None
        if is_use:
            session.used_at = self._clock()
        return session

    def end(self, session_id: str) -> None:
        """End a session, if it exists."""
        self._sessions.pop(_hash(session_id), None)

    def _has_ended(self, session: Session) -> bool:
        now = self._clock()
        return now - session.used_at >= self._idle_seconds or now - session.started_at >= self._max_seconds


def _hash(session_id: str) -> str:
    return hashlib.sha256(session_id.encode("utf-8", "surrogateescape")).hexdigest()

"""The parts of a report, as values without any formatting."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from typing import Any

from turret_pipeline.topics.insights.periods import Period

TALK, CHANGED, FAILS, DIFFERS = "what_people_talk_about", "what_changed", "where_it_fails", "for_whom_it_differs"
TITLES = {
    TALK: "What people talk about",
    CHANGED: "What changed",
    FAILS: "Where it fails",
    DIFFERS: "For whom it differs",
}


@dataclass(frozen=True)
class Finding:
    """A sentence with the figures that it states.

    ``count`` of ``total`` is compared with ``other_count`` of ``other_total``: the period before, other topics, or
    other segments. ``low`` and ``high`` are the 95 % interval of the difference of the two shares. ``q_value`` is that
    of the whole report; None for a plain count, which claims no difference. ``evidence`` selects what is counted:
    filters of exchanges or sessions by name, such as topic, value (FIELD=VALUE), signal, since and until.
    """

    kind: str
    sentence: str
    period: str
    count: int
    total: int
    field: str | None = None
    topic_id: str | None = None
    label: str | None = None
    other_count: int | None = None
    other_total: int | None = None
    low: float | None = None
    high: float | None = None
    q_value: float | None = None
    evidence: Mapping[str, str] = dataclass_field(default_factory=dict)

    @property
    def share(self) -> float:
        """``count`` divided by ``total``; 0 if both are."""
        return self.count / self.total if self.total else 0.0

    @property
    def other_share(self) -> float | None:
        """``other_count`` divided by ``other_total``; None if nothing is compared."""
        return self.other_count / self.other_total if self.other_count is not None and self.other_total else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the difference of the two shares; None if it is not known."""
        if self.low is None or self.high is None or not math.isfinite(self.low + self.high):
            return None
        return self.low, self.high


@dataclass(frozen=True)
class TopicLine:
    """A topic of a text field: its own events, and the exchanges about it with follow-ups."""

    topic_id: str
    label: str
    theme: str
    is_follow_up: bool
    event_count: int
    event_share: float
    exchange_count: int
    exchange_share: float | None
    user_count: int
    example: str | None


@dataclass(frozen=True)
class FieldTopics:
    """The topics of a text field, the most events first, and those of follow-ups last."""

    field: str
    event_count: int
    no_topic_count: int
    follow_up_count: int
    topics: tuple[TopicLine, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class TopicShift:
    """The share of a topic in the longest periods that are compared; ``low`` and ``high`` are the 95 % interval of the
    difference. A shift is a claim only if a finding says so."""

    field: str
    topic_id: str
    label: str
    period: str
    before_period: str
    share: float
    before_share: float
    low: float
    high: float


@dataclass(frozen=True)
class Answer:
    """The answer to one question: findings, and notes on what could not be decided.

    Findings are in turns: the largest difference of each kind, the largest first, then the second of each kind, and so
    on.

    ``compared_count`` is the number of differences that were tested to find them, and ``nothing`` the sentence of an
    answer without findings.
    """

    key: str
    findings: tuple[Finding, ...]
    notes: tuple[str, ...] = ()
    compared_count: int = 0
    nothing: str = ""

    @property
    def title(self) -> str:
        """The question."""
        return TITLES[self.key]


@dataclass(frozen=True)
class Report:
    """Four answers about the events of a period and segment."""

    period: Period | None
    scope: str
    exchange_count: int
    session_count: int
    user_count: int
    fields: tuple[FieldTopics, ...]
    answers: tuple[Answer, ...]
    shifts: tuple[TopicShift, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The report as values of JSON; null for what is not a number."""
        return {
            **_to_json(asdict(self)),
            "answers": [
                {
                    **_to_json(asdict(answer)),
                    "title": answer.title,
                    "findings": [
                        {**_to_json(asdict(finding)), "share": finding.share, "other_share": finding.other_share}
                        for finding in answer.findings
                    ],
                }
                for answer in self.answers
            ],
        }


def _to_json(value: Any) -> Any:  # noqa: ANN401 - values of JSON
    if isinstance(value, dict):
        return {key: _to_json(one) for key, one in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_to_json(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.isoformat() if isinstance(value, dt.date) else value

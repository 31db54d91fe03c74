"""Rules for the values of a built table, from the names of its columns: ranges, orders, and unique columns."""

from dataclasses import dataclass

from turret_pipeline.tables import Column, Table

SHARES = {
    "probability", "share_in_segment", "share_elsewhere", "q_value", "emerging_q_value", "coverage", "stability",
    "probability_in_segment", "probability_elsewhere", "drop_off_q_value",
}  # fmt: skip
"""Columns between 0 and 1, in addition to those whose name ends in _share."""

SIGNED = {"difference", "difference_low", "difference_high", "cohesion", "map_x", "map_y"}
"""Columns between -1 and 1."""

MAX_SHARE = 1 + 1e-9
PAIRS = {
    "journey_edges": [("transition_count", "session_count")],
    "journey_nodes": [
        ("event_count", "session_count"),
        ("session_count", "start_count"),
        ("session_count", "end_count"),
    ],
    "journey_loops": [("bounce_count", "session_count")],
    "journey_segments": [("difference", "difference_low"), ("difference_high", "difference")],
    "journey_struggles": [
        ("move_count", "struggle_count"),
        ("difference", "difference_low"),
        ("difference_high", "difference"),
    ],
    "topic_outcomes": [
        ("session_count", "outcome_session_count"),
        ("difference", "difference_low"),
        ("difference_high", "difference"),
    ],
    "topic_signals": [
        ("exchange_count", "signal_count"),
        ("signal_share", "share_low"),
        ("share_high", "signal_share"),
        ("difference", "difference_low"),
        ("difference_high", "difference"),
    ],
    "topics": [("event_count", "text_count"), ("event_count", "session_count")],
    "topic_days": [("event_count", "session_count")],
    "sessions": [("ended_at", "started_at")],
    "journey_steps": [("ended_at", "started_at")],
    "number_days": [("value_p95", "value_p50")],
    "topic_numbers": [("value_p95", "value_p50")],
    "topic_exchange_numbers": [("value_p95", "value_p50")],
    "user_weeks": [("active_count", "new_count"), ("active_count", "returning_count")],
    "topic_retention": [
        ("cohort_count", "returned_count"),
        ("returned_count", "returned_to_topic_count"),
        ("returned_share", "share_low"),
        ("share_high", "returned_share"),
    ],
    "topic_segments": [
        ("event_count", "session_count"),
        ("difference", "difference_low"),
        ("difference_high", "difference"),
    ],
}
"""Pairs of columns: the first is never smaller than the second."""

UNIQUE_TOGETHER = {"topics": ("field", "label")}


@dataclass(frozen=True)
class Range:
    """Values of a column lie between two limits, or above one."""

    column: str
    low: float
    high: float | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule is about."""
        return (self.column,)

    def __str__(self) -> str:
        if self.high is None:
            return f"{self.column} is at least {self.low:g}"
        return f"{self.column} is between {self.low:g} and {self.high:g}"


@dataclass(frozen=True)
class Order:
    """A column is never smaller than another of the same row."""

    larger: str
    smaller: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the rule is about."""
        return (self.larger, self.smaller)

    def __str__(self) -> str:
        return f"{self.larger} is at least {self.smaller}"


@dataclass(frozen=True)
class Unique:
    """No two rows have the same values of the columns."""

    columns: tuple[str, ...]

    def __str__(self) -> str:
        return f"{' and '.join(self.columns)} are unique together"


Rule = Range | Order | Unique


def build_rules(table: Table) -> list[Rule]:
    """The rules of a table."""
    rules: list[Rule] = [limits for column in table.columns if (limits := _find_range(column)) is not None]
    rules += [Order(larger, smaller) for larger, smaller in PAIRS.get(table.name, [])]
    if columns := UNIQUE_TOGETHER.get(table.name):
        rules.append(Unique(columns))
    return rules


def _find_range(column: Column) -> Range | None:
    name = column.name
    if column.kind == "number" and (name.endswith("_share") or name in SHARES):
        return Range(name, 0, MAX_SHARE)
    if name in SIGNED:
        return Range(name, -MAX_SHARE, MAX_SHARE)
    if name.endswith("similarity"):
        return Range(name, -1.001, 1.001)
    if name == "growth":
        return Range(name, -1)
    if name.endswith(("_count", "_seconds")):
        return Range(name, 0)
    return Range(name, 1) if name.endswith("_number") else None

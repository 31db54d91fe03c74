"""Plans: the number of events that a project may send in a period."""

import calendar
import datetime as dt
from dataclasses import dataclass

from turret_pipeline.errors import TurretError

PLANS = ("trial", "pro", "business", "custom")
TRIAL_EVENTS = 250_000
MONTHLY_EVENTS = {"pro": 1_000_000, "business": 10_000_000}
ALL_TIME = "in all"
"""Period of a trial, as the ledger stores it."""
_DAY_SECONDS = 86_400


@dataclass(frozen=True)
class Plan:
    """Plan of a project. ``monthly`` is the limit of a custom plan; None means no limit."""

    name: str = "custom"
    monthly: int | None = None

    def __str__(self) -> str:
        if self.name == "trial":
            return f"trial: {TRIAL_EVENTS:,} events in all"
        limit = self.limit
        return f"{self.name}: {'any number of' if limit is None else f'{limit:,}'} events a month"

    @property
    def limit(self) -> int | None:
        """Most events in a period; None means no limit."""
        return TRIAL_EVENTS if self.name == "trial" else MONTHLY_EVENTS.get(self.name, self.monthly)

    def period(self, now: dt.datetime) -> str:
        """Name of the period of the limit: a calendar month (UTC), or all time for a trial."""
        return ALL_TIME if self.name == "trial" else f"{now:%Y-%m}"

    def seconds_to_next(self, now: dt.datetime) -> int:
        """Seconds until the next period begins; one day for a trial, which has no next period."""
        if self.name == "trial":
            return _DAY_SECONDS
        days = calendar.monthrange(now.year, now.month)[1]
        end = dt.datetime(now.year, now.month, 1, tzinfo=dt.UTC) + dt.timedelta(days=days)
        return max(1, int((end - now).total_seconds()) + 1)


def validate_plan(name: str | None, monthly: int | None) -> Plan | None:
    """Plan with this name and monthly limit; None if neither is given.

    Raises TurretError if the name is unknown or the monthly limit is invalid for the plan.
    """
    if name is None and monthly is None:
        return None
    name = name or "custom"
    if name not in PLANS:
        raise TurretError(f"Unknown plan {name!r}: use one of {', '.join(PLANS)}.")
    if monthly is not None and (name != "custom" or monthly < 1):
        raise TurretError(f"Invalid --monthly {monthly}: use a number of at least 1, with the plan custom only.")
    return Plan(name, monthly)

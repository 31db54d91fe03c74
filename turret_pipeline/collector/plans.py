"""What a plan allows: how many events, in which time, and when the next are let in."""

import calendar
import datetime as dt
from dataclasses import dataclass

from turret_pipeline.errors import TurretError

PLANS = ("trial", "pro", "business", "custom")
TRIAL_EVENTS = 250_000
MONTHLY_EVENTS = {"pro": 1_000_000, "business": 10_000_000}
IN_ALL = "in all"
_DAY = 86_400


@dataclass(frozen=True)
class Plan:
    """The plan of a project; ``monthly`` is the number of a custom plan, None for any number."""

    name: str = "custom"
    monthly: int | None = None

    def __str__(self) -> str:
        if self.name == "trial":
            return f"trial: {TRIAL_EVENTS:,} events in all"
        limit = self.limit
        return f"{self.name}: {'any number of' if limit is None else f'{limit:,}'} events a month"

    @property
    def limit(self) -> int | None:
        """Most events in a period; None: any number."""
        return TRIAL_EVENTS if self.name == "trial" else MONTHLY_EVENTS.get(self.name, self.monthly)

    def period(self, now: dt.datetime) -> str:
        """The name of the time that the limit is for: a calendar month (UTC), or all time."""
        return IN_ALL if self.name == "trial" else f"{now:%Y-%m}"

    def seconds_to_next(self, now: dt.datetime) -> int:
        """Until the next period begins; a trial has none, so one is told to ask again tomorrow."""
        if self.name == "trial":
            return _DAY
        days = calendar.monthrange(now.year, now.month)[1]
        end = dt.datetime(now.year, now.month, 1, tzinfo=dt.UTC) + dt.timedelta(days=days)
        return max(1, int((end - now).total_seconds()) + 1)


def checked_plan(name: str | None, monthly: int | None) -> Plan | None:
    """The plan that was asked for, None where none was. TurretError where the two do not go together."""
    if name is None and monthly is None:
        return None
    name = name or "custom"
    if name not in PLANS:
        raise TurretError(f"There is no plan {name!r}; a plan is one of: {', '.join(PLANS)}.")
    if monthly is not None and (name != "custom" or monthly < 1):
        raise TurretError(f"--monthly {monthly} cannot be used: it is for the plan custom, and at least 1.")
    return Plan(name, monthly)

"""The last publication of a project, as the foot of every page states it."""

import datetime as dt
from dataclasses import dataclass

from turret_pipeline.dashboard.projects import Snapshot

_LAST = """
select run_id, published_at, (select count(*) from marts.quality_checks) as check_count,
    (select count(*) from marts.quality_checks where not is_passed) as failed_count
from marts.pipeline_runs order by run_number desc limit 1
"""


@dataclass(frozen=True)
class Publication:
    """A published run and the result of its checks."""

    run_id: str
    published_at: dt.datetime
    check_count: int
    failed_count: int

    def describe_age(self, moment: dt.datetime, fresh_hours: float) -> str:
        """A sentence if the results are older than they should be; else empty."""
        age = moment - self.published_at
        if age <= dt.timedelta(hours=fresh_hours):
            return ""
        spent = f"{age.days} days" if age.days > 1 else f"{age.total_seconds() / 3600:.0f} hours"
        return (
            f"These results are {spent} old. A run is expected every {fresh_hours:g} hours (setting freshness_hours): "
            "look at the schedule, or run turret run."
        )


def describe_publication(published: Snapshot) -> Publication:
    """The run that made the published file."""
    return published.remember("publication", lambda: Publication(**published.query(_LAST).row(0, named=True)))

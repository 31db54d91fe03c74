"""Links from the findings of a report to the page that shows their evidence."""

from collections.abc import Mapping

from turret_pipeline.dashboard.state import PageState
from turret_pipeline.reports.report.model import Finding

SESSIONS_OF = ("outcome", "start", "end", "from")
"""Filters of sessions: evidence that has one of them is a list of sessions."""


def link_evidence(finding: Finding, state: PageState) -> tuple[str, str]:
    """URL and name of the page with what a finding counts."""
    evidence = dict(finding.evidence)
    if finding.kind == "theme":
        return state.to_page("topics", **evidence), "Topics of this theme"
    if "since" in evidence or finding.kind.endswith("_run"):
        return state.to_page(f"topics/{evidence.pop('topic')}", **_without_own(evidence)), "The topic in these days"
    if any(name in evidence for name in SESSIONS_OF):
        return state.to_page("sessions", **evidence), "These sessions"
    return state.to_page("exchanges", **evidence), f"These {finding.count:,} exchanges"


def _without_own(evidence: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in evidence.items() if name != "own"}

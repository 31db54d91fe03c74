"""Links from the findings of a report to the page that shows their evidence, and from its answers to all figures."""

from collections.abc import Mapping

from turret_pipeline.dashboard.state import PageState
from turret_pipeline.reports.report.model import CHANGED, FAILS, TALK, Finding

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
    link = state.to_page("exchanges", **evidence)
    if not finding.count and "topic" in evidence:
        return state.to_page(f"topics/{evidence['topic']}"), "The topic"
    return link, "This exchange" if finding.count == 1 else f"These {finding.count:,} exchanges"


def link_figures(answer_key: str, state: PageState) -> list[tuple[str, str]]:
    """URLs and names of the pages with the figures of everything that an answer chooses its findings from."""
    if answer_key == TALK:
        return [(state.to_page("topics"), "All topics")]
    if answer_key == CHANGED:
        return [(state.to_page("topics", sort="difference"), "All topics by change")] if state.since else []
    if answer_key == FAILS:
        return [
            (state.to_page("journeys/paths") + "#ends", "Where all sessions end"),
            (state.to_page("exchanges", signal="abandoned"), "Abandoned exchanges"),
        ]
    return [
        (state.to_page("topics") + "#compare", "Topics by segment"),
        (state.to_page("journeys/paths") + "#compare", "Journeys by segment"),
    ]


def _without_own(evidence: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in evidence.items() if name != "own"}

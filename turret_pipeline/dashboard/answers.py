"""The answers of the report for the scope of a page."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from typing import Any

from turret_pipeline.dashboard.page import Page
from turret_pipeline.dashboard.state import PageState
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.activity import Activity
from turret_pipeline.reports.report.build import report_of
from turret_pipeline.reports.report.model import Answer, Finding, Report
from turret_pipeline.reports.report.table import read_answers
from turret_pipeline.reports.scope import Scope

MAX_IN_PROCESS = 100_000
"""Exchanges up to which a report is made in this process. The rows of more need memory that would not be returned: a
process of its own reads them, and ends."""

TIMEOUT_SECONDS = 600
_ONE_AT_A_TIME = threading.Semaphore(1)


def find_answers(page: Page, activity: Activity) -> dict[str, Answer]:
    """The answers by key: those that were published, or under a filter those of a new report."""
    if page.state.scope() == Scope():
        return page.remember("answers", lambda: read_answers(page.published))
    return page.remember("answers", lambda: _compute_answers(page, activity))


def _compute_answers(page: Page, activity: Activity) -> dict[str, Answer]:
    with _ONE_AT_A_TIME:
        if activity.unit_count > MAX_IN_PROCESS:
            return _read_answers(_run_report(page))
        report: Report = report_of(page.published, page.state.scope(), page.project.settings)
        return {answer.key: answer for answer in report.answers}


def _run_report(page: Page) -> list[dict[str, Any]]:
    """The answers that the command prints as JSON. Raises TurretError if it fails."""
    options = list(_list_options(page.state))
    command = [sys.executable, "-m", "turret_pipeline.cli", "report", "--format", "json", *options]
    command += ["--data-dir", str(page.project.data.root)]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT_SECONDS)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        raise TurretError(f"The report on this filter failed: {error}. Choose fewer days.") from None
    answers: list[dict[str, Any]] = json.loads(done.stdout)["answers"]
    return answers


def _list_options(state: PageState) -> Iterator[str]:
    for name, value in (("--since", state.since), ("--until", state.until)):
        yield from (name, value) if value else ()
    for segment in state.segments:
        yield from ("--segment", segment)


def _read_answers(rows: list[dict[str, Any]]) -> dict[str, Answer]:
    """Answers from JSON."""
    names = set(Finding.__dataclass_fields__)
    answers = {}
    for row in rows:
        findings = tuple(Finding(**{name: one[name] for name in names}) for one in row["findings"])
        answers[row["key"]] = Answer(row["key"], findings, tuple(row["notes"]), row["compared_count"], row["nothing"])
    return answers

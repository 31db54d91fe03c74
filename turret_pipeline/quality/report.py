"""The quality report: one page without scripts and without anything from another host, so it opens offline.

It takes the place of the Data Docs of Great Expectations, which load fonts, styles and scripts from other hosts and
show a form to subscribe to a newsletter.
"""

import datetime as dt
import html
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.tables import Table

Status = Literal["passed", "failed", "warning"]

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Quality of the built tables</title>
<style>
body {{ font-family: system-ui, sans-serif; margin: 2em auto; max-width: 60em; padding: 0 1em; color: #222; }}
table {{ border-collapse: collapse; width: 100%; margin-bottom: 2em; }}
th, td {{ text-align: left; padding: 0.3em 1em 0.3em 0; border-bottom: 1px solid #ddd; vertical-align: top; }}
.failed {{ color: #b00020; font-weight: bold; }} .warning {{ color: #8a5a00; font-weight: bold; }}
</style></head>
<body><h1>Quality of the built tables</h1>
<p>Run {run_id}, {made_at}. {summary}</p>
<p>Contracts and Great Expectations check the values of each table: one line below for each rule. dbt tests check keys
and the relations between tables. The table quality_checks of the published file lists all checks, the expectations of
a table as one; the summary of a run counts these.</p>
{sections}
</body></html>
"""
SECTION = """<h2>{name}</h2>
<p>{grain} {rows}</p>
<table><thead><tr><th>Check</th><th>Result</th><th>Found</th></tr></thead><tbody>
{checks}
</tbody></table>"""


@dataclass(frozen=True)
class ReportedCheck:
    """A check with its result and what was found."""

    name: str
    status: Status
    found: str = ""


@dataclass(frozen=True)
class ReportedTable:
    """A table with its checks; the number of rows is None if nobody counted them."""

    table: Table
    row_count: int | None
    checks: Sequence[ReportedCheck]


def write_report(path: Path, run_id: str, made_at: dt.datetime, tables: Sequence[ReportedTable]) -> None:
    """Write the page; tables with failures and warnings come first."""
    ordered = sorted(tables, key=lambda table: all(check.status == "passed" for check in table.checks))
    page = PAGE.format(
        run_id=html.escape(run_id),
        made_at=f"{made_at:%Y-%m-%d %H:%M} UTC",
        summary=summarize(check for table in tables for check in table.checks),
        sections="\n".join(map(_section, ordered)),
    )
    with atomic_replace(path) as temp:
        temp.write_text(page, encoding="utf-8")
    remove(path.parent / "docs")  # the Data Docs of earlier versions


def summarize(checks: Iterable[ReportedCheck]) -> str:
    """Number of checks by result, as a sentence."""
    counts = Counter[str](check.status for check in checks)
    warnings = "1 warning" if counts["warning"] == 1 else f"{counts['warning']:,} warnings"
    return f"{counts.total():,} checks: {counts['passed']:,} passed, {counts['failed']:,} failed, {warnings}."


def _section(reported: ReportedTable) -> str:
    return SECTION.format(
        name=html.escape(reported.table.name),
        grain=html.escape(reported.table.grain),
        rows="" if reported.row_count is None else f"Rows: {reported.row_count:,}.",
        checks="\n".join(map(_row, reported.checks)),
    )


def _row(check: ReportedCheck) -> str:
    name, found = html.escape(check.name), html.escape(check.found)
    return f'<tr><td>{name}</td><td class="{check.status}">{check.status}</td><td>{found}</td></tr>'

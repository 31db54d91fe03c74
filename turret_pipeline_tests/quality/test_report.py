"""The quality report: one page that needs nothing else."""

import datetime as dt
import re
from pathlib import Path

from turret_pipeline.quality.report import ReportedCheck, ReportedTable, write_report
from turret_pipeline.tables import MART_TABLES

MADE_AT = dt.datetime(2026, 3, 1, 9, 30, tzinfo=dt.UTC)
EVENTS, TOPICS = MART_TABLES["events"], MART_TABLES["topics"]


def render(path: Path, *tables: ReportedTable, run_id: str = "run-1") -> str:
    write_report(path, run_id, MADE_AT, tables)
    return path.read_text()


def test_the_page_shows_run_date_counts_and_the_values_found(tmp_path: Path) -> None:
    page = render(
        tmp_path / "index.html",
        ReportedTable(EVENTS, 12_345, [ReportedCheck("line_number is at least 1", "passed", "1 to 99")]),
        ReportedTable(
            TOPICS,
            7,
            [
                ReportedCheck("event_share is between 0 and 1", "failed", "violated in 2 of 7 rows"),
                ReportedCheck("At most 5% of the rows are rejected.", "warning", "6.0% of the rows were rejected."),
            ],
        ),
    )
    assert "Run run-1, 2026-03-01 09:30 UTC. 3 checks: 1 passed, 1 failed, 1 warning." in page
    assert "One row per distinct accepted event. Rows: 12,345." in page
    row = '<td>event_share is between 0 and 1</td><td class="failed">failed</td><td>violated in 2 of 7 rows</td>'
    assert row in page
    assert page.index("<h2>topics</h2>") < page.index("<h2>events</h2>")


def test_the_page_runs_no_script_and_loads_nothing(tmp_path: Path) -> None:
    page = render(tmp_path / "index.html", ReportedTable(EVENTS, None, [ReportedCheck("a", "passed")]))
    assert not re.search(r"https?:|//|<script|<link|<img|@import|url\(", page)
    assert "default-src 'none'" in page


def test_what_is_found_is_escaped(tmp_path: Path) -> None:
    hostile = ReportedCheck("<b>name</b>", "failed", '<script>alert(1)</script> {0} & "quoted"')
    page = render(tmp_path / "index.html", ReportedTable(EVENTS, 1, [hostile]), run_id="<run>")
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt; {0} &amp; &quot;quoted&quot;" in page
    assert "Run &lt;run&gt;," in page

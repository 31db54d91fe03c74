"""Quality: checks, rejected rows, files with their accounts, what had to be assumed, and the runs over time."""

import polars as pl

from turret_pipeline.dashboard.charts.lines import Line, draw_lines
from turret_pipeline.dashboard.formats import format_share
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.tables import ROWS_SHOWN, ColumnView, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.accounting import (
    count_assumptions,
    count_rejected,
    list_files,
    list_rejected,
    list_runs,
    read_checks,
)

CHECKS = (ColumnView("table_name", "Table"), ColumnView("check_name", "Check"), ColumnView("result", "Result"))
FILES = (
    ColumnView("source_file", "File"),
    ColumnView("source_format", "Format"),
    ColumnView("row_count", "Rows", "count"),
    ColumnView("accepted_count", "Accepted", "count"),
    ColumnView("duplicate_count", "Duplicate", "count"),
    ColumnView("rejected_count", "Rejected", "count"),
    ColumnView("forgotten_count", "Erased", "count"),
    ColumnView("first_event_at", "First event", "day"),
    ColumnView("last_event_at", "Last event", "day"),
    ColumnView("ingested_at", "Read", "time"),
)
ASSUMED = (
    ColumnView("meaning", "Assumed or changed"),
    ColumnView("count", "Number", "count"),
)
RUNS = (
    ColumnView("run_number", "Run", "count"),
    ColumnView("published_at", "Published", "time"),
    ColumnView("seconds", "Took", "seconds"),
    ColumnView("event_count", "Events", "count"),
    ColumnView("topic_count", "Topics", "count"),
    ColumnView("no_topic_share", "Texts without a topic of their own", "share"),
    ColumnView("package_version", "Version"),
)
REJECTED = (
    ColumnView("source_file", "File"),
    ColumnView("line_number", "Line", "count"),
    ColumnView("reason", "Reason"),
)


def show_quality(page: Page) -> Content:
    """The page of checks and accounts."""
    published = page.published
    checks = published.remember("checks", lambda: read_checks(published))
    files = published.remember("files", lambda: list_files(published))
    runs = published.remember("runs", lambda: list_runs(published))
    result = pl.when("is_passed").then(pl.lit("passed")).when("is_blocking").then(pl.lit("failed"))
    checks = checks.with_columns(result.otherwise(pl.lit("failed, without blocking")).alias("result"))
    tables = (
        TableView("checks", "Checks of the tables", checks, CHECKS, rows_shown=1000),
        _tabulate_reasons(page),
        TableView("files", "Files that were read", files, FILES, "No file was read."),
        TableView("assumed", "Assumed or changed", count_assumptions(files), ASSUMED, "Nothing had to be assumed."),
        TableView("runs", "Published runs", runs, RUNS),
    )
    values = {
        "failed": checks.filter(~pl.col("is_passed")).height,
        "counts": {name: int(files[name].sum() or 0) for name in files.columns if name.endswith("_count")},
        "chart": _draw_runs(runs.reverse()),
    }
    return Content("quality.html", "Quality", values, tables)


def show_rejected(page: Page) -> Content:
    """The rejected rows, all or those with one reason; and their text for admins. Raises TurretError without any."""
    reason = page.state.get("reason")
    rows = list_rejected(page.published, reason)
    if reason and rows.is_empty():
        raise TurretError(f"No row was rejected with the reason {reason!r}: choose one on the page Quality.")
    columns: tuple[ColumnView, ...] = REJECTED
    if page.viewer.can_edit:
        columns = (*REJECTED, ColumnView("raw_text", "Row"))
    else:
        rows = rows.drop("raw_text")
    first = ROWS_SHOWN * (page.state.row_page() - 1)
    table = TableView("rejected", "Rejected rows", rows, columns, "No row was rejected.", first)
    return Content("rejected.html", f"Rejected rows: {reason}" if reason else "Rejected rows", {}, (table,))


def _tabulate_reasons(page: Page) -> TableView:
    columns = (
        ColumnView("reason_code", "Reason"),
        ColumnView(
            "row_count",
            "Rows",
            "count",
            link=lambda row: page.state.to_page("quality/rejected", reason=row["reason_code"]),
        ),
        ColumnView("file_count", "Files", "count"),
        ColumnView("fixed_count", "Fixed since", "count"),
        ColumnView("example_reason", "For example"),
    )
    frame = page.published.remember("rejected", lambda: count_rejected(page.published))
    return TableView("rejected", "Rejected rows by reason", frame, columns, "No row was rejected.")


def _draw_runs(runs: pl.DataFrame) -> object:
    """Share of the texts without a topic by run."""
    labels = [f"run {number}" for number in runs["run_number"]]
    shares = runs["no_topic_share"].to_list()
    notes = [
        f"{label}: {'no texts' if share is None else format_share(share)}"
        for label, share in zip(labels, shares, strict=True)
    ]
    return draw_lines("Share of the texts without a topic, by run", labels, [Line("without a topic", shares, notes)])

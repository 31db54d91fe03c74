"""`turret report`: the answers to four questions about the published events."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from turret_pipeline.cli.console import new_console, write_json, write_text
from turret_pipeline.cli.journey_options import Segment
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.config.pipeline import load_settings


class ReportFormat(StrEnum):
    """Formats of a report."""

    TEXT = "text"
    MARKDOWN = "md"
    HTML = "html"
    JSON = "json"


def report(
    since: Annotated[
        str | None, typer.Option("--since", help="Only events from this day on, such as 2026-03-01.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", help="Only events up to this day (setting time_zone).")
    ] = None,
    segment: Segment = None,
    output: Annotated[
        ReportFormat, typer.Option("--format", help="text, md (Markdown), html (one page that opens offline), or json.")
    ] = ReportFormat.TEXT,
    data_dir: DataDirOption = None,
) -> None:
    """The report: what people talk about, what changed, where it fails, and for whom it differs.

    Every sentence holds beyond chance: if nothing differs at all, the chance of any claim is at most 5 %.
    """
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.reports.report.build import report_of
    from turret_pipeline.reports.report.html import render_html
    from turret_pipeline.reports.report.markdown import render_markdown
    from turret_pipeline.reports.report.text import list_lines
    from turret_pipeline.reports.scope import parse_scope

    settings = load_settings(data_dir=data_dir)
    scope = parse_scope(since, until, segment or [], settings.time_zone)
    built = report_of(PublishedTables.of_settings(settings), scope, settings)
    if output is ReportFormat.TEXT:
        new_console(stderr=False).print_lines(*list_lines(built))
    elif output is ReportFormat.JSON:
        write_json(json.dumps(built.to_dict(), ensure_ascii=False, indent=2))
    else:
        write_text(render_html(built) if output is ReportFormat.HTML else render_markdown(built))

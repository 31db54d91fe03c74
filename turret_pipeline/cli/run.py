"""Run the pipeline from the command line, with progress, problems and a summary."""

import sys
from pathlib import Path

import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.progress import new_progress
from turret_pipeline.config.pipeline import Settings
from turret_pipeline.errors import display_path
from turret_pipeline.reports.line_console import LineConsole
from turret_pipeline.storage.data_dir import DataDir


def run_and_report(
    settings: Settings, *, full_refresh: bool = False, refit: bool = False, verbose: bool = False
) -> None:
    """Run the whole graph and print the summary. Exits with code 1 if the run failed."""
    with new_progress() as progress:
        with progress.during("Starting"):
            from turret_pipeline.orchestration.run import run_whole_graph
        outcome = run_whole_graph(
            settings,
            progress,
            full_refresh=full_refresh or refit,
            refit=refit,
            log_level="INFO" if verbose else "CRITICAL",
        )
    for warning in outcome.warnings:
        new_console().print_lines(f"Warning: {warning}", style="yellow")
    if not outcome.is_success:
        for problem in outcome.problems:
            new_console().print_message(problem, "red")
        verdict = "The tables were published anyway." if outcome.is_published else "Nothing was published."
        new_console().print_lines(verdict)
        raise typer.Exit(1)
    _print_report(new_console(stderr=False), settings, is_nothing_new=not outcome.is_published)


def _print_report(console: LineConsole, settings: Settings, *, is_nothing_new: bool) -> None:
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.reports.report.table import read_answers
    from turret_pipeline.reports.summary import print_summary

    data, published = DataDir(settings.data_dir), PublishedTables.of_settings(settings)
    print_summary(console, published, read_answers(published).values())
    verdict = "Nothing new since the last run; published tables:" if is_nothing_new else "Published tables:"
    file = display_path(data.warehouse.published)
    query = "select label, exchange_count from marts.topics order by exchange_count desc nulls last limit 10"
    code = f"import duckdb; duckdb.connect('{file}', read_only=True).sql('{query}').show()"
    lines = [
        f"{verdict} {file} (DuckDB, schema marts)",
        f"Report: {display_path(data.report)} (a page for the browser)",
        f"Pictures: {display_path(data.figures)}",
        f"Quality report: {display_path(data.quality / 'index.html')}",
        f"Next: {_ui_command(settings)}  (graph, checks and runs in the browser), or query the tables:",
        f'  {display_path(Path(sys.executable))} -c "{code}"',
    ]
    console.print_lines("", *lines)


def _ui_command(settings: Settings) -> str:
    is_default = settings.data_dir == Path.cwd() / "data" and Path("Makefile").exists()
    return "make ui" if is_default else f"turret ui --data-dir {display_path(settings.data_dir)}"

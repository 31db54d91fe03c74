"""Suites of Great Expectations over the values of the built tables, and their Data Docs."""

import html
import os
import warnings
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.tables import MART_TABLES, Table

SHARES = {
    "probability", "share_in_segment", "share_elsewhere", "q_value", "emerging_q_value", "coverage", "stability",
    "probability_in_segment", "probability_elsewhere", "drop_off_q_value",
}  # fmt: skip
"""Columns between 0 and 1, in addition to those whose name ends in _share."""

SIGNED = {"difference", "difference_low", "difference_high", "cohesion", "map_x", "map_y"}
"""Columns between -1 and 1."""

MAX_SHARE = 1 + 1e-9
PAIRS = {
    "journey_edges": [("transition_count", "session_count")],
    "journey_nodes": [
        ("event_count", "session_count"),
        ("session_count", "start_count"),
        ("session_count", "end_count"),
    ],
    "journey_loops": [("bounce_count", "session_count")],
    "journey_segments": [("difference", "difference_low"), ("difference_high", "difference")],
    "topic_outcomes": [
        ("session_count", "outcome_session_count"),
        ("difference", "difference_low"),
        ("difference_high", "difference"),
    ],
    "topics": [("event_count", "text_count"), ("event_count", "session_count")],
    "topic_days": [("event_count", "session_count")],
    "sessions": [("ended_at", "started_at")],
    "journey_steps": [("ended_at", "started_at")],
    "number_days": [("value_p95", "value_p50")],
    "topic_numbers": [("value_p95", "value_p50")],
    "topic_segments": [
        ("event_count", "session_count"),
        ("difference", "difference_low"),
        ("difference_high", "difference"),
    ],
}
"""Pairs of columns: the first is never smaller than the second."""
INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Quality of the built tables</title>
<style>body {{ font-family: sans-serif; margin: 2em; }} td {{ padding: 0.2em 2em 0.2em 0; }}</style></head>
<body><h1>Quality of the built tables</h1>
<p>Results of Great Expectations in the last run. The report of each table shows expectations and observed values.</p>
<table>
{rows}
</table></body></html>
"""
UNIQUE_TOGETHER = {"topics": ["field", "label"]}


def validate(frames: dict[str, pl.DataFrame], folder: Path) -> dict[str, list[str]]:
    """Failed expectations by table, one sentence each. Writes Data Docs and an index page to ``folder``."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecation warnings inside Great Expectations
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # telemetry
        import great_expectations as gx

        remove(folder / "docs")
        with atomic_replace(folder / "docs") as docs:
            site = {
                "class_name": "SiteBuilder",
                "store_backend": {
                    "class_name": "TupleFilesystemStoreBackend",
                    "base_directory": str(docs).replace("$", r"\$"),
                },
                "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
            }
            context = gx.get_context(mode="ephemeral")
            context.variables.progress_bars = {"globally": False}
            for old in list(context.get_site_names()):
                context.delete_data_docs_site(old)
            context.add_data_docs_site(site_name="docs", site_config=site)
            source = context.data_sources.add_pandas("warehouse")
            failed = {
                name: _validate_table(context, source, MART_TABLES[name], frame) for name, frame in frames.items()
            }
            context.build_data_docs(["docs"])
    _write_index(folder, failed)
    return failed


def _write_index(folder: Path, failed: dict[str, list[str]]) -> None:
    """Write a page that links to the reports: the index of Data Docs itself stays empty without a network."""
    rows = []
    for name, reasons in failed.items():
        page = next((folder / "docs" / "validations" / name).rglob("*.html"))
        verdict = "passed" if not reasons else html.escape("failed: " + "; ".join(reasons))
        rows.append(f'<tr><td><a href="{page.relative_to(folder).as_posix()}">{name}</a></td><td>{verdict}</td></tr>')
    with atomic_replace(folder / "index.html") as temp:
        temp.write_text(INDEX.format(rows="\n".join(rows)), encoding="utf-8")


def _validate_table(context: Any, source: Any, table: Table, frame: pl.DataFrame) -> list[str]:  # noqa: ANN401
    import great_expectations as gx

    batch = source.add_dataframe_asset(name=table.name).add_batch_definition_whole_dataframe("built")
    suite = context.suites.add(gx.ExpectationSuite(name=table.name, expectations=_expectations(table)))
    definition = gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
    validation = context.validation_definitions.add(definition)
    outcome = validation.run(batch_parameters={"dataframe": frame.to_pandas()})
    return [_describe_failure(result) for result in outcome.results if not result.success]


def _expectations(table: Table) -> list[Any]:
    """Expectations that follow from column names, and those of the table."""
    from great_expectations import expectations as gxe

    suite: list[Any] = [gxe.ExpectTableColumnsToMatchSet(column_set=checked_columns(table))]
    for column in table.columns:
        if column.kind == "number" and (column.name.endswith("_share") or column.name in SHARES):
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=0, max_value=MAX_SHARE))
        elif column.name in SIGNED:
            suite.append(
                gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=-MAX_SHARE, max_value=MAX_SHARE)
            )
        elif column.name == "growth":
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=-1))
        elif column.name.endswith(("_count", "_seconds")):
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=0))
        elif column.name.endswith("similarity"):
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=-1.001, max_value=1.001))
        elif column.name.endswith("_number"):
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=1))
    for larger, smaller in PAIRS.get(table.name, []):
        suite.append(
            gxe.ExpectColumnPairValuesAToBeGreaterThanB(
                column_A=larger, column_B=smaller, or_equal=True, ignore_row_if="either_value_is_missing"
            )
        )
    if together := UNIQUE_TOGETHER.get(table.name):
        suite.append(gxe.ExpectCompoundColumnsToBeUnique(column_list=together))
    return suite


def checked_columns(table: Table) -> list[str]:
    """Columns that a suite needs; users' texts are never loaded."""
    named = {column for pair in PAIRS.get(table.name, []) for column in pair} | set(UNIQUE_TOGETHER.get(table.name, []))
    numeric = {column.name for column in table.columns if column.kind in {"integer", "number"}}
    return [column.name for column in table.columns if column.name in named | numeric | set(table.key)]


def _describe_failure(result: Any) -> str:  # noqa: ANN401
    config = result.expectation_config
    arguments = {key: value for key, value in config.kwargs.items() if key != "batch_id"}
    return f"{config.type} {arguments}: {result.result.get('unexpected_count', result.result.get('observed_value'))}"

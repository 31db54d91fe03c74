"""Checks of the built tables before they are published: the contract, and suites of Great Expectations.

Belongs here: what must hold of single tables. Laws between tables are dbt tests.
"""

import html
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import polars as pl

from turret_pipeline.orchestration.resources import Workspace, open_to_read
from turret_pipeline.orchestration.specs import mart_key
from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.tables import DUCKDB_TYPES, MART_TABLES, Table

BUILT_TABLES = [table for name, table in MART_TABLES.items() if name not in {"quality_checks", "pipeline_runs"}]
MANY_REJECTED = 0.05

SHARES = {
    "probability", "share_in_segment", "share_elsewhere", "q_value", "emerging_q_value", "coverage", "stability",
    "probability_in_segment", "probability_elsewhere", "drop_off_q_value",
}  # fmt: skip
"""Columns between 0 and 1, beside those called so."""

SIGNED = {"difference", "difference_low", "difference_high", "cohesion", "map_x", "map_y"}
"""Columns between -1 and 1."""

LOSSLESS = 1 + 1e-9
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
"""Columns of which the first is never smaller than the second."""
INDEX = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><title>Quality of the built tables</title>
<style>body {{ font-family: sans-serif; margin: 2em; }} td {{ padding: 0.2em 2em 0.2em 0; }}</style></head>
<body><h1>Quality of the built tables</h1>
<p>What Great Expectations found in the last run; each table's report says what was expected and seen.</p>
<table>
{rows}
</table></body></html>
"""
UNIQUE_TOGETHER = {"topics": ["field", "label"]}


@dg.multi_asset_check(
    name="contracts",
    specs=[
        dg.AssetCheckSpec(
            "contract", asset=mart_key(table.name), blocking=True, description="Columns, types, nulls, key."
        )
        for table in BUILT_TABLES
    ],
)
def contracts(workspace: dg.ResourceParam[Workspace]) -> Iterator[dg.AssetCheckResult]:
    """Each built table is what its contract promises."""
    with open_to_read(workspace.build) as connection:
        for table in BUILT_TABLES:
            breaches = contract_breaches(connection, table)
            yield dg.AssetCheckResult(
                asset_key=mart_key(table.name),
                check_name="contract",
                passed=not breaches,
                description=" ".join(breaches) or None,
            )


def contract_breaches(connection: duckdb.DuckDBPyConnection, table: Table) -> list[str]:
    """Sentences on where a built table differs from its contract; none where it holds."""
    found = dict(
        connection.execute(
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'marts' and table_name = ? order by ordinal_position",
            [table.name],
        ).fetchall()
    )
    if not found:
        return [f"The table marts.{table.name} is missing."]
    wanted = {column.name: DUCKDB_TYPES[column.kind] for column in table.columns}
    breaches = [
        f"{name} is {found.get(name, 'missing')}, not {kind}."
        for name, kind in wanted.items()
        if found.get(name) != kind
    ]
    if breaches:
        return breaches
    for column in table.columns:
        nulls = 0 if column.nullable else _scalar(connection, f"count(*) filter ({column.name} is null)", table)
        if nulls:
            breaches.append(f"{column.name} is null in {nulls:,} rows.")
    repeated = _scalar(connection, f"count(*) - count(distinct ({', '.join(table.key)}))", table)
    if repeated:
        breaches.append(f"The key {', '.join(table.key)} is repeated in {repeated:,} rows.")
    return breaches


def _scalar(connection: duckdb.DuckDBPyConnection, expression: str, table: Table) -> int:
    return int(connection.execute(f"select {expression} from marts.{table.name}").fetchall()[0][0])


@dg.multi_asset_check(
    name="expectations",
    specs=[
        dg.AssetCheckSpec(
            "expectations",
            asset=mart_key(table.name),
            blocking=True,
            description="Suite of Great Expectations: values.",
        )
        for table in BUILT_TABLES
    ],
)
def expectations(workspace: dg.ResourceParam[Workspace]) -> Iterator[dg.AssetCheckResult]:
    """The values of each built table are possible ones; Data Docs show what was expected and what was seen."""
    with open_to_read(workspace.build) as connection:
        frames = {
            table.name: connection.sql(f"select {', '.join(_checked_columns(table))} from marts.{table.name}").pl()
            for table in BUILT_TABLES
        }
    with workspace.progress.during("Checking values"):
        failures = validate(frames, workspace.quality_dir)
    for name, failed in failures.items():
        yield dg.AssetCheckResult(
            asset_key=mart_key(name),
            check_name="expectations",
            passed=not failed,
            description="; ".join(failed) or None,
        )


def validate(frames: dict[str, pl.DataFrame], folder: Path) -> dict[str, list[str]]:
    """Failed expectations by table, in words; writes Data Docs to ``folder``, and an index."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # third-party deprecations inside Great Expectations; it decides nothing here
        os.environ.setdefault("GX_ANALYTICS_ENABLED", "false")  # it would tell its makers of every run
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
    """A page that lists the reports of the tables: the index of Data Docs itself stays empty without a network."""
    rows = []
    for name, reasons in failed.items():
        page = next((folder / "docs" / "validations" / name).rglob("*.html"))
        verdict = "passed" if not reasons else html.escape("failed: " + "; ".join(reasons))
        rows.append(f'<tr><td><a href="{page.relative_to(folder).as_posix()}">{name}</a></td><td>{verdict}</td></tr>')
    with atomic_replace(folder / "index.html") as aside:
        aside.write_text(INDEX.format(rows="\n".join(rows)), encoding="utf-8")


def _validate_table(context: Any, source: Any, table: Table, frame: pl.DataFrame) -> list[str]:  # noqa: ANN401
    import great_expectations as gx

    batch = source.add_dataframe_asset(name=table.name).add_batch_definition_whole_dataframe("built")
    suite = context.suites.add(gx.ExpectationSuite(name=table.name, expectations=_suite(table)))
    definition = gx.ValidationDefinition(name=table.name, data=batch, suite=suite)
    validation = context.validation_definitions.add(definition)
    outcome = validation.run(batch_parameters={"dataframe": frame.to_pandas()})
    return [_in_words(result) for result in outcome.results if not result.success]


def _suite(table: Table) -> list[Any]:
    """Expectations that follow from the meaning of the columns' names, and those of the table itself."""
    from great_expectations import expectations as gxe

    suite: list[Any] = [gxe.ExpectTableColumnsToMatchSet(column_set=_checked_columns(table))]
    for column in table.columns:
        if column.kind == "number" and (column.name.endswith("_share") or column.name in SHARES):
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=0, max_value=LOSSLESS))
        elif column.name in SIGNED:
            suite.append(gxe.ExpectColumnValuesToBeBetween(column=column.name, min_value=-LOSSLESS, max_value=LOSSLESS))
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


def _checked_columns(table: Table) -> list[str]:
    """Columns that a suite looks at: no person's text is loaded for it."""
    named = {column for pair in PAIRS.get(table.name, []) for column in pair} | set(UNIQUE_TOGETHER.get(table.name, []))
    numeric = {column.name for column in table.columns if column.kind in {"integer", "number"}}
    return [column.name for column in table.columns if column.name in named | numeric | set(table.key)]


def _in_words(result: Any) -> str:  # noqa: ANN401
    config = result.expectation_config
    arguments = {key: value for key, value in config.kwargs.items() if key != "batch_id"}
    return f"{config.type} {arguments}: {result.result.get('unexpected_count', result.result.get('observed_value'))}"


@dg.asset_check(asset=mart_key("source_files"), description=f"At most {MANY_REJECTED:.0%} of the rows are refused.")
def few_rows_are_rejected(workspace: dg.ResourceParam[Workspace]) -> dg.AssetCheckResult:
    """A warning, not a stop: bad input never loses good input. Calls of Segment that are no events are no bad rows."""
    with open_to_read(workspace.build) as connection:
        found = connection.execute(
            "select coalesce((select count(*) from marts.rejected_events where not is_mended and reason_code <> "
            "'not_an_event') / nullif(sum(row_count), 0), 0) from marts.source_files"
        ).fetchall()
    share = float(found[0][0])
    return dg.AssetCheckResult(
        passed=share <= MANY_REJECTED,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{share:.1%} of the rows were refused; rejected_events says why.",
    )

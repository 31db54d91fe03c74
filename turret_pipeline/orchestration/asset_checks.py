"""Checks of the built tables as Dagster asset checks. Blocking ones stop publishing."""

from collections.abc import Iterator

import dagster as dg

from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import mart_key
from turret_pipeline.quality.contracts import BUILT_TABLES, find_breaches
from turret_pipeline.quality.expectations import checked_columns, validate
from turret_pipeline.storage.warehouse import open_read_only

MAX_REJECTED_SHARE = 0.05


@dg.multi_asset_check(
    name="contracts",
    specs=[
        dg.AssetCheckSpec(
            "contract",
            asset=mart_key(table.name),
            blocking=True,
            description="Columns, types, nulls and key are as in the contract.",
        )
        for table in BUILT_TABLES
    ],
)
def contracts(workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
    """Check each built table against its contract."""
    with open_read_only(workspace.build) as connection:
        for table in BUILT_TABLES:
            breaches = find_breaches(connection, table)
            yield dg.AssetCheckResult(
                asset_key=mart_key(table.name),
                check_name="contract",
                passed=not breaches,
                description=" ".join(breaches) or None,
            )


@dg.multi_asset_check(
    name="expectations",
    specs=[
        dg.AssetCheckSpec(
            "expectations",
            asset=mart_key(table.name),
            blocking=True,
            description="Values are possible (suite of Great Expectations).",
        )
        for table in BUILT_TABLES
    ],
)
def expectations(workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
    """Check the values of each built table; Data Docs show the expectations and the observed values."""
    with open_read_only(workspace.build) as connection:
        frames = {
            table.name: connection.sql(f"select {', '.join(checked_columns(table))} from marts.{table.name}").pl()
            for table in BUILT_TABLES
        }
    with workspace.progress.during("Checking values"):
        failures = validate(frames, workspace.data.quality)
    for name, failed in failures.items():
        yield dg.AssetCheckResult(
            asset_key=mart_key(name),
            check_name="expectations",
            passed=not failed,
            description="; ".join(failed) or None,
        )


@dg.asset_check(
    asset=mart_key("source_files"), description=f"At most {MAX_REJECTED_SHARE:.0%} of the rows are rejected."
)
def few_rows_are_rejected(workspace: Workspace) -> dg.AssetCheckResult:
    """Warn if many rows were rejected; Segment calls other than events do not count."""
    with open_read_only(workspace.build) as connection:
        found = connection.execute(
            "select coalesce((select count(*) from marts.rejected_events where not is_mended and reason_code <> "
            "'not_an_event') / nullif(sum(row_count), 0), 0) from marts.source_files"
        ).fetchall()
    share = float(found[0][0])
    return dg.AssetCheckResult(
        passed=share <= MAX_REJECTED_SHARE,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{share:.1%} of the rows were rejected; table rejected_events lists the reasons.",
    )

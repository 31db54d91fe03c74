"""Checks of the built tables as Dagster asset checks. Blocking ones stop publishing."""

from collections.abc import Iterator, Mapping, Sequence

import dagster as dg
import duckdb

from turret_pipeline.clock import now
from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import escape_description, mart_key
from turret_pipeline.quality.contracts import BUILT_TABLES, find_breaches
from turret_pipeline.quality.expectations import Verdict, check_values
from turret_pipeline.quality.report import ReportedCheck, ReportedTable, Status, write_report
from turret_pipeline.storage.warehouse import open_read_only
from turret_pipeline.tables import Table

CONTRACT, EXPECTATIONS = "contract", "expectations"
FEW_REJECTED, FEW_TEXTLESS = "few_rows_are_rejected", "few_exchanges_lack_text"
PROMISES = {
    CONTRACT: "Columns, types and nulls are as in the contract.",
    EXPECTATIONS: "Values are possible (suite of Great Expectations).",
}
MAX_REJECTED_SHARE, MAX_TEXTLESS_SHARE = 0.05, 0.01
WARNINGS = {
    FEW_REJECTED: f"At most {MAX_REJECTED_SHARE:.0%} of the rows are rejected.",
    FEW_TEXTLESS: f"At most {MAX_TEXTLESS_SHARE:.0%} of the events are exchanges whose text is missing.",
}
"""Checks of source_files that only warn."""


@dg.multi_asset_check(
    name="table_checks",
    specs=[
        dg.AssetCheckSpec(name, asset=mart_key(table.name), blocking=True, description=promise)
        for table in BUILT_TABLES
        for name, promise in PROMISES.items()
    ]
    + [
        dg.AssetCheckSpec(name, asset=mart_key("source_files"), description=promise)
        for name, promise in WARNINGS.items()
    ],
    can_subset=True,
)
def table_checks(context: dg.AssetCheckExecutionContext, workspace: Workspace) -> Iterator[dg.AssetCheckResult]:
    """Check the selected tables; write the quality report if these are all."""
    selected = {(key.asset_key.path[-1], key.name) for key in context.selected_asset_check_keys}
    tables = [table for table in BUILT_TABLES if table.name in {name for name, _ in selected}]
    if not workspace.build.exists():
        raise TurretError("This run built no tables to check: materialize the assets of the checks in the same run.")
    with open_read_only(workspace.build) as connection:
        breaches = {table.name: find_breaches(connection, table) for table in tables}
        whole = [table for table in tables if not breaches[table.name]]
        with workspace.progress.during("Checking values"):
            verdicts = {table.name: found for table, found in check_values(connection, whole)}
        results = list(_judge(breaches, verdicts))
        if any(table.name == "source_files" for table in whole):
            results += [_judge_rejected(connection), _judge_textless(connection)]
    if len(tables) == len(BUILT_TABLES):  # else the report of the published file stays
        report = [_report(table, verdicts.get(table.name, []), results) for table in tables]
        write_report(workspace.data.quality / "index.html", context.run.run_id, now(), report)
    for result in results:
        if result.asset_key is not None and (result.asset_key.path[-1], result.check_name) in selected:
            yield escape_description(result)


def _judge(
    breaches: Mapping[str, Sequence[str]], verdicts: Mapping[str, Sequence[Verdict]]
) -> Iterator[dg.AssetCheckResult]:
    """The results of both blocking checks; values are not looked at if the contract is broken."""
    for name, broken in breaches.items():
        failed = [f"{verdict}." for verdict in verdicts.get(name, []) if not verdict.is_passed]
        if broken:
            failed = ["The values were not checked, because the table breaks its contract."]
        for check, sentences in ((CONTRACT, broken), (EXPECTATIONS, failed)):
            yield dg.AssetCheckResult(
                asset_key=mart_key(name),
                check_name=check,
                passed=not sentences,
                description=" ".join(sentences) or None,
            )


def _judge_rejected(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Warn if many rows were rejected; Segment calls other than events do not count."""
    found = connection.execute(
        "select coalesce((select count(*) from marts.rejected_events where not is_mended and reason_code <> "
        "'not_an_event') / nullif(sum(row_count), 0), 0) from marts.source_files"
    ).fetchall()
    share = float(found[0][0])
    sentence = f"{share:.1%} of the rows were rejected; table rejected_events lists the reasons."
    return _warn_unless(FEW_REJECTED, sentence, is_passed=share <= MAX_REJECTED_SHARE)


def _judge_textless(connection: duckdb.DuckDBPyConnection) -> dg.AssetCheckResult:
    """Warn if many exchanges have no text: their source does not store it, or holds it in an unknown shape."""
    found = connection.execute(
        "select coalesce(sum(textless_exchange_count) / nullif((select count(*) from marts.events), 0), 0), "
        "max_by(source_file, textless_exchange_count) from marts.source_files"
    ).fetchall()
    share, file = float(found[0][0]), found[0][1]
    sentence = f"{share:.1%} of the events are exchanges without text, most of them in {file}."
    return _warn_unless(FEW_TEXTLESS, sentence, is_passed=share <= MAX_TEXTLESS_SHARE)


def _warn_unless(name: str, sentence: str, *, is_passed: bool) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(
        asset_key=mart_key("source_files"),
        check_name=name,
        passed=is_passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=sentence,
    )


def _report(table: Table, verdicts: Sequence[Verdict], results: Sequence[dg.AssetCheckResult]) -> ReportedTable:
    """Part of the page about a table: its contract, each rule for its values, and warnings."""
    checks = [
        _report_check(result)
        for result in results
        if result.asset_key == mart_key(table.name) and not (result.check_name == EXPECTATIONS and verdicts)
    ]
    checks += [_report_verdict(verdict) for verdict in verdicts]
    return ReportedTable(table, verdicts[0].row_count if verdicts else None, checks)


def _report_check(result: dg.AssetCheckResult) -> ReportedCheck:
    name = PROMISES.get(str(result.check_name), f"At most {MAX_REJECTED_SHARE:.0%} of the rows are rejected.")
    if result.passed:
        return ReportedCheck(name, "passed")
    status: Status = "warning" if result.severity == dg.AssetCheckSeverity.WARN else "failed"
    return ReportedCheck(name, status, result.description or "")


def _report_verdict(verdict: Verdict) -> ReportedCheck:
    if verdict.is_passed:
        return ReportedCheck(verdict.rule, "passed", verdict.found)
    return ReportedCheck(verdict.rule, "failed", verdict.violations)

"""Asset group publish: the checked file becomes the published one by one rename (write-audit-publish)."""

import importlib.metadata
from collections.abc import Iterator
from typing import TYPE_CHECKING

import dagster as dg
import polars as pl
from dagster_duckdb import DuckDBResource

from turret_pipeline.clock import now
from turret_pipeline.erasure.erase import finish_erasure
from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.asset_checks import PROMISES
from turret_pipeline.orchestration.assets.topics import EMBEDDINGS
from turret_pipeline.orchestration.figures import save_figure
from turret_pipeline.orchestration.resources import Workspace
from turret_pipeline.orchestration.specs import lake_key, mart_key, mart_spec
from turret_pipeline.orchestration.subsets import stage_assets
from turret_pipeline.plots.changes import Shift, draw_changes
from turret_pipeline.quality.contracts import BUILT_TABLES
from turret_pipeline.reports.published_tables import BuiltTables, PublishedTables
from turret_pipeline.reports.report.build import report_of
from turret_pipeline.reports.report.html import render_html
from turret_pipeline.reports.report.markdown import render_markdown
from turret_pipeline.reports.report.model import CHANGED, Report
from turret_pipeline.reports.report.table import tabulate_report
from turret_pipeline.reports.scope import Scope
from turret_pipeline.reports.summary import render_summary
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.lake import conform
from turret_pipeline.storage.numbered_tables import write_numbered_tables
from turret_pipeline.storage.scratch_database import limit_file_memory
from turret_pipeline.storage.vectors import limit_vanished_vectors
from turret_pipeline.storage.warehouse import describe_tables, open_read_only, write_last_tables
from turret_pipeline.tables import LAKE_TABLES, PIPELINE_RUNS, PUBLISHED_LAST, QUALITY_CHECKS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RUN_FACTS = """
select
    (select count(*) from marts.events) as event_count,
    (select count(*) from marts.topics where status = 'active') as topic_count,
    (select count(*) filter (topic_id is null) / nullif(count(*), 0) from marts.event_topics) as no_topic_share
"""


@stage_assets(
    "publish",
    [mart_spec(table.name, "publish", [mart_key(built.name) for built in BUILT_TABLES]) for table in PUBLISHED_LAST],
)
def publish(context: dg.AssetExecutionContext, workspace: Workspace) -> Iterator[dg.MaterializeResult[None]]:
    """Record the run, its checks and its report in the built file, and replace the published file by it."""
    build, data = workspace.build, workspace.data
    _require_whole_run(context)
    checks, runs = _quality_checks(context), _runs(workspace, context)
    database = DuckDBResource(database=str(build), connection_config={"memory_limit": limit_file_memory()})
    with database.get_connection() as connection:
        write_last_tables(connection, {"quality_checks": checks, "pipeline_runs": runs})
        write_numbered_tables(connection)
    report = report_of(BuiltTables(build, data, workspace.settings.privacy_min_users), Scope(), workspace.settings)
    lines = tabulate_report(report)
    with database.get_connection() as connection:
        write_last_tables(connection, {"report_lines": lines})
        describe_tables(connection)
    data.warehouse.publish(build, int(runs["run_number"][-1]), context.run.run_id)
    data.topic_states.remove_all_but({runs["topic_state_id"][-1]})
    text_ids = data.lake.read("texts")["text_id"]
    if data.is_stricter:
        data.remove_weaker(context.run.run_id, text_ids)
    limit_vanished_vectors(data.lake.root / "embeddings", text_ids)
    workspace.share(is_final=True)
    finish_erasure(data, context.run.run_id)
    with atomic_replace(data.report) as temp:
        temp.write_text(render_html(report), encoding="utf-8")
    summary = render_summary(PublishedTables.of_settings(workspace.settings), report.answers)
    context.log.info(f"Published {data.warehouse.published}.\n\n{summary}")
    passed = int(checks["is_passed"].sum())
    yield dg.MaterializeResult(
        asset_key=mart_key("quality_checks"), metadata={"dagster/row_count": checks.height, "passed": passed}
    )
    yield dg.MaterializeResult(asset_key=mart_key("report_lines"), metadata={"dagster/row_count": lines.height})
    published = dg.MetadataValue.path(str(data.warehouse.published))
    yield dg.MaterializeResult(
        asset_key=mart_key("pipeline_runs"),
        metadata={
            "dagster/row_count": runs.height,
            "published_file": published,
            "report": dg.MetadataValue.md(render_markdown(report)),
            "what_changed": save_figure(draw_report_changes(report), data.figures, "what_changed"),
            "report_page": dg.MetadataValue.path(str(data.report)),
        },
    )


def draw_report_changes(report: Report) -> "Figure":
    """The picture of what changed in the text field of prompts, or else in the one with most texts.

    Only claims about the periods that are shown are marked: others may be about a week, or about the last run.
    """
    field = report.fields[0].field if report.fields else "the texts"
    shifts = [
        Shift(one.topic_id, one.label, one.share - one.before_share, one.low, one.high)
        for one in report.shifts
        if one.field == field
    ]
    periods = next((f"{one.period} after {one.before_period}" for one in report.shifts), "")
    shown = {one.period for one in report.shifts}
    claims = [one for answer in report.answers if answer.key == CHANGED for one in answer.findings]
    claimed = {one.topic_id for one in claims if one.topic_id is not None and one.period in shown}
    return draw_changes(field, periods, shifts, claimed)


def _require_whole_run(context: dg.AssetExecutionContext) -> None:
    """Raise TurretError unless this run materialized and checked all tables: others may be of an earlier run."""
    lake = {EMBEDDINGS, *map(lake_key, LAKE_TABLES)}
    marts = {mart_key(table.name) for table in BUILT_TABLES}
    materialized = {event.asset_key for event in _events(context, dg.DagsterEventType.ASSET_MATERIALIZATION)}
    checks = {(check.asset_key, check.check_name) for check in _evaluations(context)}
    checked = {key for key in marts if all((key, name) in checks for name in PROMISES)}
    left_out = sorted(key.to_user_string() for key in (lake | marts) - materialized | marts - checked)
    if left_out:
        named = ", ".join(left_out[:3]) + (", ..." if len(left_out) > 3 else "")
        raise TurretError(
            f"Nothing is published: a run must make and check all tables, and this one left out {len(left_out)} "
            f"({named}). Materialize all assets, with `--select '*'` on the command line."
        )


def _events(context: dg.AssetExecutionContext, kind: dg.DagsterEventType) -> list[dg.DagsterEvent]:
    """The events of this run of one type."""
    records = context.instance.get_records_for_run(context.run.run_id, of_type=kind).records
    return [record.event_log_entry.get_dagster_event() for record in records]


def _evaluations(context: dg.AssetExecutionContext) -> list[dg.AssetCheckEvaluation]:
    """The check results of this run."""
    events = _events(context, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
    return [event.asset_check_evaluation_data for event in events]


def _quality_checks(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """The checks of this run, as Dagster recorded them."""
    rows = [
        (check.asset_key.path[-1], check.check_name, check.passed, check.blocking or False)
        for check in _evaluations(context)
    ]
    frame = pl.DataFrame(rows, QUALITY_CHECKS.schema, orient="row")
    return frame.unique(list(QUALITY_CHECKS.key), keep="last").sort(*QUALITY_CHECKS.key)


def _runs(workspace: Workspace, context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Table ``pipeline_runs`` with this run as its last row."""
    with open_read_only(workspace.build) as connection:
        facts = connection.sql(RUN_FACTS).pl().row(0, named=True)
    started = context.instance.get_run_stats(context.run.run_id).start_time
    row = {
        "run_id": context.run.run_id,
        "run_number": workspace.next_run_number(),
        "started_at": now() if started is None else pl.from_epoch(pl.Series([int(started * 1e6)]), "us")[0],
        "published_at": now(),
        "package_version": importlib.metadata.version("turret-pipeline"),
        **facts,
        # not the present input, settings and edits: what is new since the topics were made waits for the next run
        **workspace.data.topic_states.read_note(),
    }
    this = pl.DataFrame([row], schema_overrides={"edits": PIPELINE_RUNS.schema["edits"]}).with_columns(
        pl.col("started_at").dt.replace_time_zone("UTC") if started is not None else pl.col("started_at"),
    )
    this = conform(PIPELINE_RUNS, this.select([pl.col(name).cast(kind) for name, kind in PIPELINE_RUNS.schema.items()]))
    before = workspace.data.warehouse.runs()
    if before is None:
        return this
    if workspace.settings.privacy_min_users > 1:  # an edit published before may name a topic that is suppressed now
        before = before.with_columns(_disclosed_edits(before, this["edits"].item()))
    return pl.concat([before, this], how="diagonal_relaxed").select(this.columns)


def _disclosed_edits(before: pl.DataFrame, disclosed: pl.Series) -> pl.Series:
    """Column edits of earlier runs, without edits of topics that are suppressed now."""
    if "edits" not in before.columns:
        return pl.Series("edits", [None] * before.height, PIPELINE_RUNS.schema["edits"])
    kept = [None if edits is None else [edit for edit in edits if edit in set(disclosed)] for edits in before["edits"]]
    return pl.Series("edits", kept, PIPELINE_RUNS.schema["edits"])

"""Asset group publish: the checked file becomes the published one by one rename (write-audit-publish)."""

import os
from collections.abc import Iterator

import dagster as dg
import duckdb
import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.orchestration.asset_checks import BUILT_TABLES
from turret_pipeline.orchestration.resources import Workspace, now, package_version
from turret_pipeline.orchestration.specs import mart_key, mart_spec
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.lake import conform
from turret_pipeline.tables import MART_TABLES, PIPELINE_RUNS, QUALITY_CHECKS

RUN_FACTS = """
select
    (select count(*) from marts.events) as event_count,
    (select count(*) from marts.topics where status = 'active') as topic_count,
    (select count(*) filter (topic_id is null) / nullif(count(*), 0) from marts.event_topics) as no_topic_share
"""


@dg.multi_asset(
    specs=[
        mart_spec(table, "publish", [mart_key(built.name) for built in BUILT_TABLES])
        for table in ("quality_checks", "pipeline_runs")
    ],
    name="publish",
)
def publish(
    context: dg.AssetExecutionContext, workspace: dg.ResourceParam[Workspace]
) -> Iterator[dg.MaterializeResult[None]]:
    """Note the run and its checks in the built file, and move it over the published one."""
    build = workspace.build
    if not build.exists():
        raise TurretError(f"There is no built file {build.name} to publish: materialize the marts in the same run.")
    checks = _quality_checks(context)
    runs = _runs(workspace, build, context)
    with workspace.warehouse(build).get_connection() as connection:
        for table, frame in (("quality_checks", checks), ("pipeline_runs", runs)):
            connection.register("frame", frame.to_arrow())
            connection.execute(f"create or replace table marts.{table} as select * from frame")
            connection.unregister("frame")
        _finish(connection)
    _swap(workspace)
    workspace.forget_states_but(workspace.lake_state()["topic_state_id"])
    context.log.info(f"Published {workspace.published}.")
    passed = int(checks["is_passed"].sum())
    yield dg.MaterializeResult(
        asset_key=mart_key("quality_checks"), metadata={"dagster/row_count": checks.height, "passed": passed}
    )
    yield dg.MaterializeResult(
        asset_key=mart_key("pipeline_runs"),
        metadata={"dagster/row_count": runs.height, "published_file": dg.MetadataValue.path(str(workspace.published))},
    )


def _finish(connection: duckdb.DuckDBPyConnection) -> None:
    """Describe tables and columns in the file, and leave out the views, which point at the lake."""
    for table in MART_TABLES.values():
        connection.execute(f"comment on table marts.{table.name} is '{_quoted(table.grain)}'")
        for column in table.columns:
            connection.execute(f"comment on column marts.{table.name}.{column.name} is '{_quoted(column.meaning)}'")
    connection.execute("drop schema if exists staging cascade")
    connection.execute("checkpoint")


def _quoted(text: str) -> str:
    return text.replace("'", "''")


def _swap(workspace: Workspace) -> None:
    build, published = workspace.build, workspace.published
    descriptor = os.open(build, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)
    remove(published.with_name(f"{published.name}.wal"))  # of a writer that was killed: it is not of the new file
    build.replace(published)
    folder = os.open(published.parent, os.O_RDONLY)
    os.fsync(folder)
    os.close(folder)


def _quality_checks(context: dg.AssetExecutionContext) -> pl.DataFrame:
    """The checks of this run, as Dagster recorded them."""
    records = context.instance.get_records_for_run(
        context.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION
    ).records
    rows = []
    for record in records:
        event = record.event_log_entry.get_dagster_event()
        evaluation = event.asset_check_evaluation_data
        rows.append(
            (evaluation.asset_key.path[-1], evaluation.check_name, evaluation.passed, evaluation.blocking or False)
        )
    frame = pl.DataFrame(rows, QUALITY_CHECKS.schema, orient="row")
    return frame.unique(list(QUALITY_CHECKS.key), keep="last").sort(*QUALITY_CHECKS.key)


def _runs(workspace: Workspace, build: "os.PathLike[str]", context: dg.AssetExecutionContext) -> pl.DataFrame:
    """Table ``pipeline_runs`` with this run."""
    with duckdb.connect(str(build), read_only=True) as connection:
        facts = connection.sql(RUN_FACTS).pl().row(0, named=True)
    started = context.instance.get_run_stats(context.run_id).start_time
    row = {
        "run_id": context.run_id,
        "started_at": now() if started is None else pl.from_epoch(pl.Series([int(started * 1e6)]), "us")[0],
        "published_at": now(),
        "package_version": package_version(),
        **facts,
        **workspace.lake_state(),  # not what holds now: what is new since the topics were made waits for the next run
    }
    this = pl.DataFrame([row], schema_overrides={"edits": PIPELINE_RUNS.schema["edits"]}).with_columns(
        pl.col("started_at").dt.replace_time_zone("UTC") if started is not None else pl.col("started_at"),
    )
    this = conform(PIPELINE_RUNS, this.select([pl.col(name).cast(kind) for name, kind in PIPELINE_RUNS.schema.items()]))
    before = workspace.runs()
    if before is None:
        return this
    if workspace.settings.privacy_min_users > 1:  # what was told before may be of a topic that is hidden now
        before = before.with_columns(_still_told(before, this["edits"].item()))
    return pl.concat([before, this], how="diagonal_relaxed").select(this.columns)


def _still_told(before: pl.DataFrame, told: pl.Series) -> pl.Series:
    """Column edits of earlier runs without those that are not told of any more."""
    if "edits" not in before.columns:
        return pl.Series("edits", [None] * before.height, PIPELINE_RUNS.schema["edits"])
    kept = [None if edits is None else [edit for edit in edits if edit in set(told)] for edits in before["edits"]]
    return pl.Series("edits", kept, PIPELINE_RUNS.schema["edits"])

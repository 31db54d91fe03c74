"""Dagster: what the UI shows, and the command for cron and CI."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.assets.graph.asset_graph import AssetGraph

from turret_pipeline.config.pipeline import Settings, load_settings
from turret_pipeline.orchestration.definitions import JOB, build_definitions
from turret_pipeline.orchestration.resources import Workspace, build_workspace
from turret_pipeline.progress import SilentProgress
from turret_pipeline.tables import LAKE_TABLES, MART_TABLES, PUBLISHED_LAST
from turret_pipeline_tests.commands import BIN, PROJECT, conversations, copy_parsed_dbt, count, write_events
from turret_pipeline_tests.conftest import Job
from turret_pipeline_tests.network_guard import attempts_to_leave, guarded_environment

GROUPS = {"ingestion", "fields", "topics", "insight", "journeys", "exchanges", "signals", "marts", "publish"}


@pytest.fixture(scope="module")
def empty_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder without events, shared because dbt parses its project for each folder."""
    return tmp_path_factory.mktemp("graph")


@pytest.fixture(scope="module")
def graph(empty_folder: Path) -> AssetGraph:
    """The asset graph."""
    return build_definitions(load_settings(data_dir=empty_folder)).resolve_asset_graph()


def test_every_asset_says_its_grain_its_group_its_owner_and_its_kinds(graph: AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        node = graph.get(key)
        assert node.group_name in GROUPS
        assert node.owners
        assert node.kinds
        assert re.match("One row per|Renamed and cast", node.description or ""), key


def test_every_table_is_one_asset_with_its_columns(graph: AssetGraph) -> None:
    tables = {("lake", name): table for name, table in LAKE_TABLES.items()}
    tables |= {("marts", name): table for name, table in MART_TABLES.items()}
    for path, table in tables.items():
        schema = graph.get(dg.AssetKey(path)).metadata["dagster/column_schema"]
        assert isinstance(schema, dg.TableSchema)
        assert [column.name for column in schema.columns] == [column.name for column in table.columns]


def test_every_table_says_where_it_is_stored(graph: AssetGraph) -> None:
    for key in graph.materializable_asset_keys:
        node, storage = graph.get(key), {"lake": "parquet", "marts": "duckdb"}[key.path[0]]
        assert node.metadata["dagster/storage_kind"] == storage
        assert storage in node.kinds
        assert ("dbt" in node.kinds) == (node.group_name == "marts")
        named = node.metadata.get("dagster/table_name")
        assert named == (f"turret.marts.{key.path[-1]}" if storage == "duckdb" else None)


def test_every_check_has_a_description(graph: AssetGraph) -> None:
    without = [key for key in graph.asset_check_keys if not graph.get(key).description]
    assert without == []


def test_every_built_table_is_checked_before_it_is_published(graph: AssetGraph) -> None:
    for name in set(MART_TABLES) - {table.name for table in PUBLISHED_LAST}:
        checks = {key.name for key in graph.asset_check_keys if key.asset_key == dg.AssetKey(["marts", name])}
        assert {"contract", "expectations"} <= checks


def launchpad(settings: Settings) -> dict[str, Any]:
    """The configuration of the resource that the launchpad offers."""
    job = build_definitions(settings).resolve_job_def(JOB)
    offered: dict[str, Any] = job.resource_defs["workspace"].config_schema.default_value
    return offered


def test_the_launchpad_shows_the_settings_in_force_and_no_secret(empty_folder: Path) -> None:
    secrets = {"llm_api_key": "sk-not-for-anyone", "user_id_salt": "not-for-anyone"}
    plain = load_settings(data_dir=empty_folder, seed=7, mapping={"event_name": "action"}, **secrets)
    offered = launchpad(plain)
    assert offered.pop("mapping")["event_name"] == ["action"]
    assert offered.items() <= plain.model_dump(mode="json").items()
    assert set(Settings.model_fields) - set(offered) == {
        *secrets,
        "mapping",
        "llm_base_url",
        "object_store",
        "ray_address",
    }
    assert (offered["seed"], offered["data_dir"]) == (7, str(empty_folder))
    with_login = load_settings(data_dir=empty_folder, inputs=["ftp://jo:hunter2@files.example/*.jsonl"])
    assert "hunter2" not in str(launchpad(with_login))


def test_a_setting_of_the_launchpad_holds_for_its_run_and_an_invalid_one_is_named(tmp_path: Path) -> None:
    @dg.op
    def report(workspace: Workspace) -> str:
        return f"{workspace.settings.seed} {workspace.settings.salt} {workspace.data.root.name}"

    def run(**changed: object) -> dg.ExecuteInProcessResult:
        settings = load_settings(data_dir=tmp_path / "data", user_id_salt="not-for-anyone")
        job = dg.JobDefinition(
            name="job",
            graph_def=dg.GraphDefinition(name="graph", node_defs=[report]),
            resource_defs={"workspace": build_workspace(settings, SilentProgress()).get_resource_definition()},
        )
        config = {"resources": {"workspace": {"config": changed}}}
        return job.execute_in_process(run_config=config, raise_on_error=True)

    assert run(seed=9).output_for_node("report") == "9 not-for-anyone data"
    with pytest.raises(dg.DagsterResourceFunctionError) as error:
        run(topic_floor=2.0)
    assert "Invalid topic_floor 2.0 (variable TURRET_TOPIC_FLOOR)" in str(error.value.__cause__)


def test_there_is_a_job_for_the_whole_graph_and_a_daily_schedule(empty_folder: Path) -> None:
    definitions = build_definitions(load_settings(data_dir=empty_folder))
    schedule = definitions.resolve_schedule_def("daily")
    assert (schedule.job_name, schedule.cron_schedule) == ("turret", "15 2 * * *")


@pytest.mark.slow
def test_the_command_for_cron_publishes_in_a_new_folder_and_logs_the_summary(tmp_path: Path) -> None:
    write_events(tmp_path / "data" / "landing" / "a.jsonl", conversations())
    copy_parsed_dbt(tmp_path / "data")
    command = [str(BIN / "dagster"), "asset", "materialize", "--select", "*", "-m", "turret_pipeline.definitions"]
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env=guarded_environment(tmp_path / "network.log"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert count(tmp_path / "data", "events") == 72
    assert count(tmp_path / "data", "pipeline_runs") == 1
    assert "72 events, 36 sessions, 7 users" in done.stderr
    assert "nanobind" not in done.stdout + done.stderr
    assert attempts_to_leave(tmp_path / "network.log") == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "is_in_checkout"),
    [
        (["turret", "ui", "--port"], False),  # in a checkout, Dagster reads switches of telemetry from the file .env
        (["dagster", "dev", "-w", "workspace.yaml", "-p"], True),
        (["dg", "dev", "-p"], True),
    ],
)
def test_the_ui_serves_the_graph_without_telemetry(tmp_path: Path, command: list[str], *, is_in_checkout: bool) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    (tmp_path / "home").mkdir()
    copy_parsed_dbt(tmp_path / "data")  # and no settings of Dagster, which could switch telemetry off
    extra = {"DAGSTER_HOME": str(tmp_path / "home"), "TURRET_DATA_DIR": str(tmp_path / "data")}
    with subprocess.Popen(
        [str(BIN / command[0]), *command[1:], str(port)],
        cwd=PROJECT if is_in_checkout else tmp_path,
        env=guarded_environment(tmp_path / "network.log") | extra,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    ) as process:
        try:
            answer = _ask(f"http://127.0.0.1:{port}/graphql", "{ assetNodes { groupName assetKey { path } } }")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    paths = {tuple(node["assetKey"]["path"]) for node in answer["data"]["assetNodes"]}
    assert {("lake", "events"), ("lake", "embeddings"), ("marts", "topics"), ("marts", "pipeline_runs")} <= paths
    assert attempts_to_leave(tmp_path / "network.log") == ""


def test_a_run_does_not_leave_this_machine(sample_job: Job) -> None:
    assert attempts_to_leave(sample_job.network_log) == ""


def test_the_network_guard_sees_an_attempt(tmp_path: Path) -> None:
    code = "import socket; socket.create_connection(('telemetry.example', 80))"
    done = subprocess.run([sys.executable, "-c", code], env=guarded_environment(tmp_path / "network.log"), check=False)
    assert done.returncode != 0
    assert "telemetry.example" in attempts_to_leave(tmp_path / "network.log")


def _ask(url: str, query: str) -> dict[str, Any]:
    request = urllib.request.Request(url, json.dumps({"query": query}).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + 120
    while True:
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                answer: dict[str, Any] = json.load(response)
            if answer["data"]["assetNodes"]:
                return answer
        except OSError:
            pass
        assert time.monotonic() < deadline, "the UI did not answer"
        time.sleep(0.5)

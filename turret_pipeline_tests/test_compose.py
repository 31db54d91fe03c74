"""compose.yaml and the Dockerfile: their services fit the commands, options, ports and folders of this version."""

import ast
import json
import re
from pathlib import Path
from typing import Any, cast

import pytest
import yaml
from pydantic import BaseModel
from starlette.routing import Route

from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.config.dashboard import DashboardSettings, load_dashboard_settings
from turret_pipeline.dashboard.app import Dashboard
from turret_pipeline_tests.commands import turret

ROOT = Path(__file__).parent.parent
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
SERVICES: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]


def container_port(service: str) -> int:
    [published] = SERVICES[service]["ports"]
    return int(str(published).rsplit(":", 1)[1])


def test_the_image_runs_the_command_that_the_services_name() -> None:
    found = re.search(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE)
    assert found is not None
    assert json.loads(found[1]) == ["turret"]
    for service in SERVICES.values():
        assert service["build"] == "."


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_the_options_of_a_service_exist(name: str) -> None:
    command, *options = SERVICES[name]["command"]
    shown = turret(command, "--help").stdout
    assert all(option in shown for option in options if option.startswith("--"))
    assert options[options.index("--host") + 1] == "0.0.0.0"  # else its port is not reached from outside


def test_the_ports_are_those_that_the_commands_listen_on() -> None:
    ports = {name: cast("int", model.model_fields["port"].default) for name, model in _MODELS.items()}
    assert {name: container_port(name) for name in ports} == ports
    assert "--port" not in SERVICES["dashboard"]["command"]


_MODELS: dict[str, type[BaseModel]] = {"collector": CollectorSettings, "dashboard": DashboardSettings}


@pytest.mark.parametrize("name", ["dashboard", "dagster"])
def test_what_shows_data_is_published_on_this_machine_only(name: str) -> None:
    [published] = SERVICES[name]["ports"]
    assert str(published).startswith("127.0.0.1:")


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_a_service_writes_only_to_the_volume_and_to_tmp(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"]
    assert service["tmpfs"] == ["/tmp"]
    assert [volume.split(":")[1] for volume in service["volumes"]] == ["/data"]
    assert "TURRET_DATA_DIR=/data" in DOCKERFILE
    assert "VOLUME /data" in DOCKERFILE


def test_the_healthchecks_ask_for_pages_that_exist_at_the_port_of_the_service(tmp_path: Path) -> None:
    for name in ("collector", "dashboard"):
        kind, *command = SERVICES[name]["healthcheck"]["test"]
        assert (kind, command[:2]) == ("CMD", ["python", "-c"])
        ast.parse(command[2])
        found = re.search(r"http://127\.0\.0\.1:(\d+)(/\w+)", command[2])
        assert found is not None
        assert int(found[1]) == container_port(name)
        assert found[2] in {"collector": {"/ready"}, "dashboard": _list_paths(tmp_path)}[name]


def _list_paths(folder: Path) -> set[str]:
    from turret_pipeline.dashboard.access import Access

    settings = DashboardSettings(data_dir=folder)
    return {route.path for route in Dashboard(settings, Access(settings)).app.routes if isinstance(route, Route)}


def test_the_dashboard_shows_the_project_that_dagster_runs_in_the_folder_of_the_collector(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("TURRET_DATA_DIR", "/data")
    for name, value in SERVICES["dashboard"]["environment"].items():
        monkeypatch.setenv(name, value)
    folders = load_dashboard_settings().folders
    assert folders == {"demo": Path("/data/projects/demo")}
    assert SERVICES["dagster"]["environment"]["TURRET_DATA_DIR"] == str(folders["demo"])

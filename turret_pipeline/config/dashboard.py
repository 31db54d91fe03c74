"""Settings of the dashboard: variables TURRET_DASHBOARD_* override the table [dashboard] of turret.toml.

The table [projects] of turret.toml names the data folder of each project. Without it, the pipeline's data folder is the
only project.
"""

import ipaddress
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AliasChoices, BeforeValidator, Field, field_validator
from pydantic_settings import NoDecode, SettingsConfigDict

from turret_pipeline.config.addresses import normalize_host
from turret_pipeline.config.loading import (
    TOML_FILE,
    AbsolutePath,
    CommaSeparated,
    LayeredSettings,
    describe_problem,
    load_model,
    read_toml,
    reject_unknown_variables,
    suggest,
)
from turret_pipeline.config.setting_problems import DASHBOARD, PROJECTS

PREFIX = "TURRET_DASHBOARD_"
DATA_DIR_VARIABLE = "TURRET_DATA_DIR"
ONLY_PROJECT = "default"
RESERVED_NAMES = {"health", "login", "logout", "static"}
_PROJECT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


def _split_pairs(value: object) -> object:
    """The pairs of "name=folder,name=folder"; any other value as it is."""
    if not isinstance(value, str):
        return value
    pairs = [part.partition("=") for part in value.split(",") if part.strip()]
    return {name.strip(): folder.strip() for name, _, folder in pairs}


class DashboardSettings(LayeredSettings):
    """Settings of the dashboard."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, populate_by_name=True)

    data_dir: AbsolutePath = Field(
        Path("data"),
        validation_alias=AliasChoices("data_dir", DATA_DIR_VARIABLE),
        description="Data folder of the only project, unless projects are listed",
    )
    projects: Annotated[dict[str, AbsolutePath], NoDecode, BeforeValidator(_split_pairs)] = Field(
        {}, description="Data folder of each project, by name: the table [projects] of turret.toml"
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(8080, ge=0, le=65535, description="Port to listen on; 0 picks a free port")
    allowed_hosts: CommaSeparated = Field(
        [], description="Names under which people open the dashboard, comma separated, such as turret.example.com"
    )
    require_login: bool | None = Field(
        None,
        description="Ask for a login. By default from the first credential on, and always if host or allowed_hosts "
        "name more than this machine",
    )
    session_idle_minutes: float = Field(120, gt=0, description="Minutes without a page after which a login ends")
    session_hours: float = Field(12, gt=0, description="Hours after which a login ends")
    tls_certificate: Path | None = Field(None, description="Certificate chain (PEM); turns TLS on")
    tls_key: Path | None = Field(None, description="Private key of the certificate (PEM)")
    trusted_proxies: CommaSeparated = Field(
        [],
        description="Addresses and networks of proxies, comma separated, whose headers X-Forwarded-For and "
        "X-Forwarded-Proto are believed",
    )
    memory_mb: int = Field(120, ge=64, description="Memory for queries; larger ones use temporary files")
    threads: int = Field(2, ge=1, le=64, description="Threads of each query")

    @field_validator("projects")
    @classmethod
    def _check_names(cls, value: dict[str, Path]) -> dict[str, Path]:
        for name in value:
            if not _PROJECT_NAME.fullmatch(name):
                raise ValueError(f"project name {name!r} must be letters, digits, - and _, at most 64 of them")
            if name in RESERVED_NAMES:
                raise ValueError(f"project name {name!r} is the path of another page: choose another name")
        return value

    @field_validator("host")
    @classmethod
    def _check_host(cls, value: str) -> str:
        normalize_host(value)
        return value

    @field_validator("allowed_hosts")
    @classmethod
    def _normalize_hosts(cls, value: list[str]) -> list[str]:
        return [normalize_host(host) for host in value]

    @field_validator("trusted_proxies")
    @classmethod
    def _check_proxies(cls, value: list[str]) -> list[str]:
        for proxy in value:
            ipaddress.ip_network(proxy)
        return value

    @classmethod
    def read_toml_values(cls) -> dict[str, Any]:
        """Tables [dashboard] and [projects] of turret.toml, with the data folder that it sets for the pipeline."""
        document = read_toml()
        for name in (DASHBOARD, PROJECTS):
            if not isinstance(document.get(name, {}), dict):
                raise ValueError(f"{name} must be a table")
        given = {name: document[name] for name in ("data_dir", PROJECTS) if name in document}
        table: dict[str, Any] = document.get(DASHBOARD, {})
        return given | table

    @property
    def folder(self) -> Path:
        """Folder of the file of credentials, which all projects share."""
        return self.data_dir / "dashboard"

    @property
    def folders(self) -> dict[str, Path]:
        """Data folder of each project, by name."""
        return dict(self.projects) or {ONLY_PROJECT: self.data_dir}


def load_dashboard_settings(**overrides: object) -> DashboardSettings:
    """Settings from all sources; a given ``data_dir`` is the only project.

    Raises TurretError with a message for each invalid value.
    """
    names = {PREFIX + name.upper() for name in DashboardSettings.model_fields if name != "data_dir"}
    reject_unknown_variables(PREFIX, names)
    if overrides.get("data_dir") is not None:
        overrides["projects"] = {}
    return load_model(DashboardSettings, overrides, _describe_error)


def _describe_error(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "?"
    if problem["type"] == "extra_forbidden":
        hint = suggest(name, list(DashboardSettings.model_fields))
        return f"Unknown setting {name!r} in table [{DASHBOARD}] of {TOML_FILE}.{hint}"
    variable = name if name.startswith("TURRET_") else PREFIX + name.upper()
    return f"Invalid {name} {problem['input']!r} (variable {variable}): {describe_problem(problem)}."

"""What a person may change about the collector: TURRET_COLLECTOR_* over the table [collector] of turret.toml.

The data folder is the pipeline's setting (TURRET_DATA_DIR, or data_dir in turret.toml), so that both name one place.
"""

import tomllib
from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from turret_pipeline.config.loading import (
    TOML_FILE,
    AbsolutePath,
    Words,
    did_you_mean,
    loaded,
    refuse_unknown_variables,
    verdict,
    web_address,
)

PREFIX = "TURRET_COLLECTOR_"
DATA_DIR_VARIABLE = "TURRET_DATA_DIR"
TABLE = "collector"
MEGABYTE = 1_000_000


class CollectorSettings(BaseSettings):
    """Configuration of the collector and of `turret send`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, populate_by_name=True)

    data_dir: AbsolutePath = Field(
        Path("data"),
        validation_alias=AliasChoices("data_dir", DATA_DIR_VARIABLE),
        description="Folder of everything; projects have theirs in its folder projects",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0: a free one")
    workers: int = Field(1, ge=1, le=64, description="Processes that answer")
    tls_certificate: Path | None = Field(None, description="Certificate chain (PEM); with it the collector speaks TLS")
    tls_key: Path | None = Field(None, description="Private key of the certificate (PEM)")
    cors_origins: Words = Field(
        [], description="Web origins whose pages may send events, comma separated; *: any; default: none"
    )
    commit_wait_ms: float = Field(
        2, ge=0, le=1000, description="How long a write waits for further requests, which one fsync then serves"
    )
    file_max_mb: float = Field(64, gt=0, description="Size at which a landing file is finished")
    file_max_seconds: float = Field(60, gt=0, description="Age at which a landing file is finished, for runs to read")
    min_free_mb: float = Field(64, ge=0, description="Free space below which nothing more is accepted")
    duplicate_window_seconds: float = Field(
        3600, ge=0, description="How long the same batch, sent again, is known and not stored a second time"
    )
    burst_per_second: int = Field(0, ge=0, description="Events that a key may send in a second; 0: any number")
    max_body_mb: float = Field(8, gt=0, description="Largest body of a request, also once it is decompressed")
    max_batch_events: int = Field(10_000, ge=1, description="Most events in a request to /v1/events")
    max_trubrics_events: int = Field(100, ge=1, description="Most events in a request to a path of Trubrics")
    max_text_length: int = Field(10_000, ge=1, description="Longest metadata text in a request to /track")
    max_long_text_length: int = Field(200_000, ge=1, description="Longest text in a request to any other path")
    max_nesting: int = Field(16, ge=1, le=200, description="How deep objects and arrays of metadata may nest")
    max_header_kb: float = Field(16, ge=1, description="Size of a request's line and headers together")
    header_seconds: float = Field(10, gt=0, description="Time that a client has to send a request's headers")
    body_seconds: float = Field(30, gt=0, description="Time that a client has to send a request's body")
    keep_alive_seconds: int = Field(15, ge=1, description="How long an idle connection is kept")
    max_connections: int = Field(2000, ge=1, description="Connections that a worker holds; more are told to come back")
    max_pending_mb: float = Field(
        256, gt=0, description="Bodies that a worker holds in memory at a time; more are told to come back"
    )
    url: str = Field("http://127.0.0.1:8000", description="Where `turret send` posts to")
    api_key: SecretStr | None = Field(None, description="Key that `turret send` posts with")

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        return web_address(value).rstrip("/")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic's signature
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments over environment over turret.toml."""
        return init_settings, env_settings, InitSettingsSource(settings_cls, _of_toml())

    @property
    def folder(self) -> Path:
        """Where the collector keeps keys and counters."""
        return self.data_dir / "collector"

    @property
    def max_body_bytes(self) -> int:
        """The largest body in bytes."""
        return int(self.max_body_mb * MEGABYTE)


def load_collector_settings(**overrides: object) -> CollectorSettings:
    """The settings in force. Raises TurretError with one sentence for each value that is wrong."""
    names = {PREFIX + name.upper() for name in CollectorSettings.model_fields if name != "data_dir"}
    refuse_unknown_variables(PREFIX, names)
    return loaded(CollectorSettings, overrides, _sentence)


def _of_toml() -> dict[str, Any]:
    """The table [collector] of turret.toml, and the data folder that the file names for the pipeline."""
    file = Path(TOML_FILE)
    if not file.is_file():
        return {}
    whole = tomllib.loads(file.read_text("utf-8"))
    table = whole.get(TABLE, {})
    if not isinstance(table, dict):
        raise ValueError(f"{TABLE} is no table")
    return {name: whole[name] for name in ("data_dir",) if name in whole} | table


def _sentence(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "?"
    if problem["type"] == "extra_forbidden":
        hint = did_you_mean(name, list(CollectorSettings.model_fields))
        return f"The table [{TABLE}] of {TOML_FILE} has {name!r}, which is no setting.{hint}"
    value = "a value that is not shown" if name == "api_key" else f"the value {problem['input']!r}"
    variable = name if name.startswith(PREFIX[:7]) else PREFIX + name.upper()
    return f"Setting {name} of the collector (variable {variable}) has {value}: {verdict(problem)}."

"""Settings of the collector: variables TURRET_COLLECTOR_* override the table [collector] of turret.toml.

The data folder is the pipeline's setting (TURRET_DATA_DIR, or data_dir in turret.toml), so that both use one folder.
"""

from pathlib import Path
from typing import Any

from pydantic import AliasChoices, Field, SecretStr, field_validator
from pydantic_settings import SettingsConfigDict

from turret_pipeline.config.loading import (
    TOML_FILE,
    AbsolutePath,
    CommaSeparated,
    LayeredSettings,
    check_url,
    describe_problem,
    load_model,
    read_toml,
    reject_unknown_variables,
    suggest,
)

PREFIX = "TURRET_COLLECTOR_"
DATA_DIR_VARIABLE = "TURRET_DATA_DIR"
TABLE = "collector"
MEGABYTE = 1_000_000


class CollectorSettings(LayeredSettings):
    """Settings of the collector and of `turret send`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, extra="forbid", frozen=True, populate_by_name=True)

    data_dir: AbsolutePath = Field(
        Path("data"),
        validation_alias=AliasChoices("data_dir", DATA_DIR_VARIABLE),
        description="Data folder; its folder projects has one data folder for each project",
    )
    host: str = Field("127.0.0.1", min_length=1, description="Address to listen on")
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 picks a free port")
    workers: int = Field(1, ge=1, le=64, description="Number of server processes")
    tls_certificate: Path | None = Field(None, description="Certificate chain (PEM); turns TLS on")
    tls_key: Path | None = Field(None, description="Private key of the certificate (PEM)")
    cors_origins: CommaSeparated = Field(
        [], description="Web origins whose pages may send events, comma separated; * allows all"
    )
    commit_wait_ms: float = Field(
        2, ge=0, le=1000, description="Milliseconds that a write waits for more requests, to share one fsync"
    )
    file_max_mb: float = Field(64, gt=0, description="Size at which a landing file is finished")
    file_max_seconds: float = Field(60, gt=0, description="Age at which a landing file is finished for runs to read")
    min_free_mb: float = Field(64, ge=0, description="Free disk space below which events are rejected")
    duplicate_window_seconds: float = Field(
        3600, ge=0, description="Seconds in which a batch that is sent again is not stored twice"
    )
    burst_per_second: int = Field(0, ge=0, description="Events that a key may send per second; 0 means no limit")
    max_body_mb: float = Field(8, gt=0, description="Largest request body, before and after decompression")
    max_batch_events: int = Field(10_000, ge=1, description="Most events in a request to /v1/events")
    max_trubrics_events: int = Field(100, ge=1, description="Most events in a request to one of Trubrics' paths")
    track_timestamps: bool = Field(
        False,
        description="Take the field timestamp of a request to /track as the time of its event; otherwise the server's "
        "time counts, and the field is metadata",
    )
    max_text_length: int = Field(10_000, ge=1, description="Longest metadata text in a request to /track")
    max_long_text_length: int = Field(200_000, ge=1, description="Longest text in a request to any other path")
    max_keys: int = Field(
        2000, ge=1, description="Most keys in the metadata of an event, those of nested objects included"
    )
    max_nesting: int = Field(16, ge=1, le=200, description="Most levels of nested objects and arrays in metadata")
    max_header_kb: float = Field(16, ge=1, description="Largest size of request line and headers together")
    header_seconds: float = Field(10, gt=0, description="Seconds in which the headers of a request must arrive")
    body_seconds: float = Field(30, gt=0, description="Seconds in which the body of a request must arrive")
    keep_alive_seconds: int = Field(15, ge=1, description="Seconds until an idle connection is closed")
    max_connections: int = Field(
        2000,
        ge=1,
        description="Connections of a worker, above which those that have waited longest for a request are closed; "
        "of the four times as many that a burst may open, a project may have half with requests whose bodies have "
        "arrived",
    )
    max_pending_mb: float = Field(
        256,
        gt=0,
        description="Memory for the request bodies of a worker, half of it for one project at most; more are rejected "
        "with 503",
    )
    url: str = Field("http://127.0.0.1:8000", description="URL of the collector, for `turret send`")
    api_key: SecretStr | None = Field(None, description="API key, for `turret send`")

    @field_validator("url")
    @classmethod
    def _web_address(cls, value: str) -> str:
        return check_url(value).rstrip("/")

    @classmethod
    def read_toml_values(cls) -> dict[str, Any]:
        """Table [collector] of turret.toml, with the data folder that the file sets for the pipeline."""
        document = read_toml()
        table = document.get(TABLE, {})
        if not isinstance(table, dict):
            raise ValueError(f"{TABLE} must be a table")
        return {name: document[name] for name in ("data_dir",) if name in document} | table

    @property
    def folder(self) -> Path:
        """Folder of the key file and the ledger."""
        return self.data_dir / "collector"

    @property
    def max_body_bytes(self) -> int:
        """Largest request body in bytes."""
        return int(self.max_body_mb * MEGABYTE)


def load_collector_settings(**overrides: object) -> CollectorSettings:
    """Settings from all sources. Raises TurretError with a message for each invalid value."""
    names = {PREFIX + name.upper() for name in CollectorSettings.model_fields if name != "data_dir"}
    reject_unknown_variables(PREFIX, names)
    return load_model(CollectorSettings, overrides, _describe_error)


def _describe_error(problem: dict[str, Any]) -> str:
    name = str(problem["loc"][0]) if problem["loc"] else "?"
    if problem["type"] == "extra_forbidden":
        hint = suggest(name, list(CollectorSettings.model_fields))
        return f"Unknown setting {name!r} in table [{TABLE}] of {TOML_FILE}.{hint}"
    value = "(not shown)" if name == "api_key" else repr(problem["input"])
    variable = name if name.startswith(PREFIX[:7]) else PREFIX + name.upper()
    return f"Invalid {name} {value} (variable {variable}): {describe_problem(problem)}."

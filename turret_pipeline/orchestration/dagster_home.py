"""Dagster's home in the data folder: created if needed, and begun anew if its history is damaged."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import yaml
from dagster._core.instance.ref import InstanceRef
from dagster_shared.check import CheckError

from turret_pipeline.errors import FaultError, display_path
from turret_pipeline.orchestration.event_log import configure_held_log
from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.storage.damage import Finding
from turret_pipeline.storage.data_dir import DataDir

DAGSTER_YAML = "telemetry:\n  enabled: false\nnux:\n  enabled: false\n"
_STORES = ("history", "schedules")
_OTHER_LOGS = {"storage", "event_log_storage", "instance_class"}
"""Settings that put the log of events elsewhere than into Dagster's own files."""


def create_dagster_home(data: DataDir) -> Path:
    """The folder of Dagster's home, with its settings."""
    home = data.make_folder(data.dagster_home)
    if not (home / "dagster.yaml").exists():
        with atomic_replace(home / "dagster.yaml") as temp:
            temp.write_text(DAGSTER_YAML)
    return home


def open_history(home: Path) -> dg.DagsterInstance:
    """Dagster's instance of a home. Raises FaultError if its settings are invalid."""
    try:
        settings = yaml.safe_load((home / "dagster.yaml").read_bytes()) or {}
        overrides = {} if _OTHER_LOGS & settings.keys() else configure_held_log(home)
        return dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(home), overrides=overrides))
    except (
        dg.DagsterInvalidConfigError,
        dg.DagsterInvariantViolationError,
        CheckError,
        TypeError,
        AttributeError,
        yaml.YAMLError,
    ) as error:
        reason = " ".join(str(error).split())
        raise FaultError(
            f"The settings of Dagster in {display_path(home / 'dagster.yaml')} are invalid ({reason[:200]}): correct "
            "them, or remove the file, which the next run writes again."
        ) from None


def find_damaged_history(home: Path) -> Iterator[Finding]:
    """Damage of the history of runs and of its settings; published tables do not depend on either."""
    for name in _STORES:
        damaged = [file for file in sorted((home / name).rglob("*.db")) if not _is_sound(file)]
        if damaged:
            remedy = f"the folder {name} of Dagster's home is removed, and its history begins anew"
            yield Finding(damaged[0], "is damaged", remedy, lambda name=name: remove(home / name))  # type: ignore[misc]
    settings = home / "dagster.yaml"
    if settings.is_file() and not _is_mapping(settings):
        yield Finding(settings, "is damaged", "it is written again", lambda: remove(settings))


def _is_sound(file: Path) -> bool:
    """False if SQLite finds damage. A file that is in use counts as sound."""
    try:
        connection = sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True, timeout=1)
        try:
            return bool(connection.execute("pragma quick_check(1)").fetchall() == [("ok",)])
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        return "locked" in str(error) or "readonly" in str(error)
    except (sqlite3.DatabaseError, UnicodeDecodeError, OSError):
        return False


def _is_mapping(file: Path) -> bool:
    try:
        return isinstance(yaml.safe_load(file.read_bytes()), dict)
    except (yaml.YAMLError, UnicodeDecodeError, ValueError):
        return False

"""Sentences about invalid and unknown settings of the pipeline."""

from collections.abc import Collection
from typing import Any

from pydantic import BaseModel

from turret_pipeline.config.loading import TOML_FILE, describe_problem, suggest
from turret_pipeline.config.outcomes import DeclaredOutcomes
from turret_pipeline.events.formats.mapping import ColumnMapping

PREFIX = "TURRET_"
SECRETS = {"llm_api_key", "user_id_salt"}
COLLECTOR, DASHBOARD = "collector", "dashboard"
"""Tables of turret.toml, and prefixes of variables, that belong to config/collector.py and config/dashboard.py."""

PROJECTS = "projects"
"""Table of turret.toml with the data folder of each project."""

TABLES_OF_OTHERS = (COLLECTOR, DASHBOARD, PROJECTS)

TABLES: dict[str, tuple[type[BaseModel], str]] = {
    "mapping": (ColumnMapping, "the name of a column, or a list of names"),
    "outcomes": (DeclaredOutcomes, "the name of an event, or a list of names"),
}
"""Settings that are tables of turret.toml, with what their keys hold."""


def describe_setting_problem(problem: dict[str, Any], known: Collection[str]) -> str:
    """A sentence about an invalid setting, from pydantic's error; ``known`` are all settings. Secrets are not shown."""
    if not problem["loc"]:  # several settings that do not fit together
        return describe_problem(problem)
    name, *inner = map(str, problem["loc"])
    if name in TABLES:
        return _describe_table_problem(name, problem, inner)
    if problem["type"] == "extra_forbidden":
        return describe_unknown_name(name, known, is_table=isinstance(problem["input"], dict))
    value = "(a secret)" if name in SECRETS else repr(problem["input"])
    return f"Invalid {name} {value} (variable {PREFIX}{name.upper()}): {describe_problem(problem)}."


def describe_unknown_name(name: str, known: Collection[str], *, is_table: bool) -> str:
    """A sentence about a name in turret.toml that nobody reads."""
    kind = f"table [{name}]" if is_table else f"setting {name!r}"
    return f"Unknown {kind} in {TOML_FILE}.{suggest(name, [*known, *TABLES_OF_OTHERS])}"


def _describe_table_problem(name: str, problem: dict[str, Any], keys: list[str]) -> str:
    """A sentence about an invalid table, or an invalid key of it."""
    model, values = TABLES[name]
    if not keys and problem["type"] == "value_error":
        return f"{describe_problem(problem)}."
    if not keys:
        variable = f"{PREFIX}{name.upper()}"
        return f"Invalid {name} {problem['input']!r} (variable {variable}): write a table [{name}] in {TOML_FILE}."
    key, known = keys[0], list(model.model_fields)
    if problem["type"] == "extra_forbidden":
        return f"Unknown key {key!r} in {name}.{suggest(key, known)} Known keys: {', '.join(known)}."
    return f"Invalid {key} {problem['input']!r} in {name}: use {values}."

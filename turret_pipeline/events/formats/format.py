"""Description of a format: where each column and metadata field of its rows comes from.

The engine builds events by it. To add a format, define an instance of ``Format`` in the module of its family, list it
in ``FORMATS`` and add a test file.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turret_pipeline.events.formats.row_values import Paths, Row, lookup

Fields = Mapping[str, Paths]
"""Metadata fields by name, each with the alternative paths to its value."""


@dataclass(frozen=True)
class Shape:
    """Rules that recognise the rows of a format, and their description for people."""

    description: str
    required: tuple[Paths, ...] = ()
    """Keys that a row must have, each under one of its names; its value may be null."""
    forbidden: Paths = ()
    """Keys that a row must not have."""
    one_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Allowed values, by key."""
    arrays: Paths = ()
    """Alternative keys: one of them must hold an array, or the JSON text of one."""

    def matches(self, row: Row) -> bool:
        """True if the row follows all rules."""
        for paths in self.required:
            for path in paths:
                if _has_key(row, path):
                    break
            else:
                return False
        return not any(key in row for key in self.forbidden) and not self.missing_keys(row)

    def missing_keys(self, row: Row) -> list[str]:
        """Descriptions of the keys that the row must have and has not, or with other values."""
        missing = [" or ".join(paths) for paths in self.required if not any(_has_key(row, path) for path in paths)]
        wrong = [key for key, values in self.one_of.items() if not is_among(row.get(key), values)]
        missing += [f"{key} ({', '.join(sorted(self.one_of[key]))})" for key in wrong]
        if self.arrays and not any(_is_array(lookup(row, path)) for path in self.arrays):
            missing.append(f"{' or '.join(self.arrays)} (an array)")
        return missing


@dataclass(frozen=True)
class Columns:
    """Alternative paths to each canonical column."""

    event_name: Paths = ()
    event_at: Paths = ()
    received_at: Paths = ()
    event_id: Paths = ()
    session_id: Paths = ()
    user_id: Paths = ()
    lone_session_id: Paths = ()
    """Session of an event that has neither session nor user, such as the id of its trace."""


@dataclass(frozen=True)
class Part:
    """An object in a row whose keys become metadata fields, or one field named ``under``."""

    path: str
    under: str = ""
    keeps_nulls: bool = False
    allows_any_type: bool = False
    """If true, a value that is not an object becomes a field under its own name; otherwise the row is rejected."""


@dataclass(frozen=True)
class Exchange:
    """Paths to a prompt and its generation in one row, which becomes an event for each."""

    prompt: Paths
    generation: Paths
    prompt_name_key: str = ""
    generation_name_key: str = ""
    """Keys that hold the names of the two events; without them they are "User prompt" and "AI generation"."""
    prompt_fields: Fields = field(default_factory=dict)
    generation_fields: Fields = field(default_factory=dict)
    """Metadata fields of only one of the two events."""
    latency: Paths = ()
    ended_at: Paths = ()
    is_prompt_time: bool = False
    """True if event_at is the time of the prompt, false if it is that of the generation."""
    only_if: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that keys must have in an exchange; any other row is one event."""
    trace_id: Paths = ()
    """Trace of the prompt and the generation. Equal texts in one trace are repetitions of one prompt or generation."""
    is_strict: bool = False
    """If true, both must be strings; otherwise they are searched for in messages, parts and objects."""

    @functools.cached_property
    def own_field_paths(self) -> Paths:
        """Paths of the metadata fields of only one of the two events."""
        fields = (self.prompt_fields, self.generation_fields)
        return tuple(path for own in fields for paths in own.values() for path in paths)


@dataclass(frozen=True)
class Conversation:
    """Paths to an array of messages, which becomes a session with an event for each."""

    messages: Paths
    message_at: Paths
    message_id: Paths
    text: Paths


@dataclass(frozen=True)
class Format:
    """A format of rows. ``drop`` lists paths that become neither a column nor metadata."""

    name: str
    title: str
    shape: Shape
    columns: Columns
    example: Mapping[str, Any]
    becomes: str = "one event"
    parts: tuple[Part, ...] = ()
    fields: Fields = field(default_factory=dict)
    drop: Paths = ()
    keeps_rest: bool = True
    """If true, all other keys of a row become metadata."""
    json_columns: Paths = ()
    """Keys that may hold the JSON text of an object or array, as in CSV and Parquet files."""
    requires_user: bool = False
    is_utc: bool = False
    """True if the documentation of the source says that its times without a zone are UTC."""
    only_if: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that keys must have in an event; any other row is rejected."""
    exchange: Exchange | None = None
    conversation: Conversation | None = None
    allows_other_formats: bool = False
    """If true, rows that do not match this format may match another one, even if this one was selected."""

    @functools.cached_property
    def dropped_paths(self) -> tuple[frozenset[str], Paths]:
        """Keys of the row, and paths into its objects, that never become metadata under their own name."""
        paths = [*self.drop, *(path for paths in self.fields.values() for path in paths)]
        return frozenset(path for path in paths if "." not in path), tuple(path for path in paths if "." in path)


def is_among(value: object, values: frozenset[str]) -> bool:
    """True if the value is one of these strings."""
    return isinstance(value, str) and value in values


def _has_key(row: Row, path: str) -> bool:
    return path in row or ("." in path and lookup(row, path) is not None)


def _is_array(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and value.lstrip().startswith("["))

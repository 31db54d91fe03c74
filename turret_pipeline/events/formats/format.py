"""Description of a format: where each column and metadata field of its rows comes from.

The engine builds events by it. To add a format, define an instance of ``Format`` in the module of its family, list it
in ``FORMATS`` and add a test file.
"""

import datetime as dt
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from turret_pipeline.events.formats.row_values import Paths, Row, first_value, lookup

ASSUMABLE_IDS = frozenset({"session_id", "user_id"})

EVENT_KEYS: Paths = ("name", "event_name", "event")
"""Keys that name an event: rows of calls and chats have none."""

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
    objects: Paths = ()
    """Alternative keys: one of them must hold an object, or the JSON text of one."""
    test: Callable[[Row], bool] | None = None
    """A rule that the others cannot express. It is not asked if a person selected the format."""

    def matches(self, row: Row) -> bool:
        """True if the row follows all rules."""
        for paths in self.required:
            for path in paths:
                if _has_key(row, path):
                    break
            else:
                return False
        if any(key in row for key in self.forbidden) or self.missing_keys(row):
            return False
        return self.test is None or self.test(row)

    def missing_keys(self, row: Row) -> list[str]:
        """Descriptions of the keys that the row must have and has not, or with other values."""
        missing = [" or ".join(paths) for paths in self.required if not any(_has_key(row, path) for path in paths)]
        wrong = [key for key, values in self.one_of.items() if not is_among(row.get(key), values)]
        missing += [f"{key} ({', '.join(sorted(self.one_of[key]))})" for key in wrong]
        if self.arrays and not any(_is_array(lookup(row, path)) for path in self.arrays):
            missing.append(f"{' or '.join(self.arrays)} (an array)")
        if self.objects and not any(_is_object(lookup(row, path)) for path in self.objects):
            missing.append(f"{' or '.join(self.objects)} (an object)")
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
    assumed_ids: Paths = ()
    """A list of the names of those ids that the collector made up (ASSUMABLE_IDS)."""

    trace_id: Paths = ()
    """Trace of the event: an event without session or user has those of other events of its trace."""


@dataclass(frozen=True)
class Identity:
    """Paths to ids of one person in a row, and the name of this evidence.

    ``anonymous`` and ``devices`` are ids from before the person signed in as ``user``. ``aliases`` are other ids of the
    user, each one or an array; without a ``user``, the first alias is the user. ``device_prefix`` comes before a device
    where the source names it as a user.
    """

    evidence: str
    user: Paths = ()
    anonymous: Paths = ()
    devices: Paths = ()
    aliases: Paths = ()
    device_prefix: str = ""
    only_if: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that keys must have in a row with this evidence."""


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
    """Paths to the input and output of a call of a language model, which becomes a prompt, its answer and tool calls.

    An input may repeat the conversation so far: only the last message of the user is new.
    """

    prompt: Paths
    generation: Paths
    prompt_name_key: str = ""
    generation_name_key: str = ""
    """Keys that hold the names of the two events; without them they are "User prompt" and "AI generation"."""
    prompt_fields: Fields = field(default_factory=dict)
    generation_fields: Fields = field(default_factory=dict)
    """Metadata fields of only one of the two events."""
    latency: Paths = ()
    """Paths to seconds."""
    latency_ms: Paths = ()
    """Paths to milliseconds."""
    ended_at: Paths = ()
    is_prompt_time: bool = False
    """True if event_at is the time of the prompt, false if it is that of the generation."""
    failure: Paths = ()
    """Paths to a status or an error that says that the call failed."""
    only_if: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that keys must have in an exchange; any other row is one event."""
    trace_id: Paths = ()
    """Trace of the prompt and the generation. Equal texts in one trace are repetitions of one prompt or generation."""
    matches_tools_by_arguments: bool = False
    """If true, a call of a tool and the row of its execution are the same event by the name and the arguments, because
    the rows of executions have no id of the call."""
    is_strict: bool = False
    """If true, both must be strings; otherwise they are searched for in messages, parts and objects."""

    @functools.cached_property
    def own_paths(self) -> Paths:
        """Paths that become metadata of only one of the two events, or no metadata."""
        fields = (*self.prompt_fields.values(), *self.generation_fields.values())
        names = (self.prompt_name_key, self.generation_name_key)
        own = (self.latency, self.latency_ms, self.ended_at, self.failure, names, *fields)
        return tuple(dict.fromkeys(path for paths in own for path in paths if path))


@dataclass(frozen=True)
class Execution:
    """Paths of a row that is the execution of a tool, which becomes an event named after the tool.

    Latency, failure and trace are those of the exchange of the format.
    """

    name: Paths
    """Paths to the name of the tool: a row without one is no execution."""
    only_if: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that keys must have in an execution."""
    call_id: Paths = ()
    arguments: Paths = ()


@dataclass(frozen=True)
class Conversation:
    """Paths to an array of messages, which becomes a session with an event for each message and each tool call."""

    messages: Paths
    message_at: Paths = (
        *("timestamp", "created_at", "createdAt", "create_time", "created", "parts.0.timestamp"),
        *("metadata.createdAt", "metadata.created_at", "metadata.timestamp"),
    )
    message_id: Paths = ("id", "message_id", "messageId", "uuid")
    author: Paths = ()
    """Paths to the author of a message, if a format has names of its own for it."""
    message_user: Paths = ()
    """Paths to the person who wrote a message of the user."""
    prompt_fields: Fields = field(default_factory=dict)
    generation_fields: Fields = field(default_factory=dict)
    """Metadata fields of only the prompts or only the answers, by paths in their messages."""
    drop: Paths = ()
    """Keys of a message that become no metadata."""
    skips_other_roles: bool = False
    """If true, messages that neither the user nor the model wrote are no events; otherwise they are."""


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
    time_zone: dt.tzinfo = dt.UTC
    """Zone of times without one."""
    only_if: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that keys must have in an event; any other row is rejected."""
    identities: tuple[Identity, ...] = ()
    """Evidence of the ids of a person, also in rows that are no events."""
    exchange: Exchange | None = None
    execution: Execution | None = None
    conversation: Conversation | None = None
    normalize: Callable[[Row], Row] | None = None
    """A function that gives rows of nested or listed values the keys that the paths name. It may raise Rejection."""
    allows_other_formats: bool = False
    """If true, rows that do not match this format may match another one, even if this one was selected."""

    def in_zone(self, zone: dt.tzinfo) -> "Format":
        """This format with a zone for times without one, unless they are known to be UTC."""
        if self.is_utc or zone == self.time_zone:
            return self
        if zone not in self._by_zone:
            self._by_zone[zone] = replace(self, time_zone=zone)
        return self._by_zone[zone]

    @functools.cached_property
    def _by_zone(self) -> dict[dt.tzinfo, "Format"]:
        return {}

    @functools.cached_property
    def dropped_paths(self) -> tuple[frozenset[str], Paths]:
        """Keys of the row, and paths into its objects, that never become metadata under their own name."""
        paths = [*self.drop, *(path for paths in self.fields.values() for path in paths)]
        return frozenset(path for path in paths if "." not in path), tuple(path for path in paths if "." in path)


def is_among(value: object, values: frozenset[str]) -> bool:
    """True if the value is one of these strings."""
    return isinstance(value, str) and value in values


def is_execution(row: Row, execution: Execution) -> bool:
    """True if a row is the execution of a tool."""
    return has_values(row, execution.only_if) and isinstance(first_value(row, execution.name)[1], str)


def has_values(row: Row, values: Mapping[str, frozenset[str]]) -> bool:
    """True if each key has one of its values."""
    return all(is_among(row.get(key), allowed) for key, allowed in values.items())


def _has_key(row: Row, path: str) -> bool:
    return path in row or ("." in path and lookup(row, path) is not None)


def _is_array(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and value.lstrip().startswith("["))


def _is_object(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip().startswith("{"))

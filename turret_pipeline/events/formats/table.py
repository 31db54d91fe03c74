"""What a format is: a table of where everything comes from. The engine reads rows by it.

To add a format: one instance of ``Format`` in a module of its family, its name in ``FORMATS``, one test file.
"""

import functools
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from turret_pipeline.events.formats.columns import Paths, Row, lookup

Fields = Mapping[str, Paths]
"""Metadata fields by name, each from the first path that says something."""


@dataclass(frozen=True)
class Shape:
    """How rows of a format are recognised, in words and as rules."""

    words: str
    needs: tuple[Paths, ...] = ()
    """Keys that are there, each by one of its names; a null is there."""
    lacks: Paths = ()
    one_of: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values that a key may have."""
    arrays: Paths = ()
    """Keys that are arrays, or JSON text of arrays; of these one has to be there."""

    def matches(self, row: Row) -> bool:
        """Whether the row looks like this."""
        for paths in self.needs:
            for path in paths:
                if _is_there(row, path):
                    break
            else:
                return False
        return not any(key in row for key in self.lacks) and not self.missing(row)

    def missing(self, row: Row) -> list[str]:
        """What the row lacks to look like this, in words."""
        lacking = [" or ".join(paths) for paths in self.needs if not any(_is_there(row, path) for path in paths)]
        wrong = [key for key, values in self.one_of.items() if not is_among(row.get(key), values)]
        lacking += [f"{key} ({', '.join(sorted(self.one_of[key]))})" for key in wrong]
        if self.arrays and not any(_is_array(lookup(row, path)) for path in self.arrays):
            lacking.append(f"{' or '.join(self.arrays)} (an array)")
        return lacking


@dataclass(frozen=True)
class Columns:
    """Where each canonical column comes from."""

    event_name: Paths = ()
    event_at: Paths = ()
    received_at: Paths = ()
    event_id: Paths = ()
    session_id: Paths = ()
    user_id: Paths = ()
    lone_session_id: Paths = ()
    """The session of an event that names neither session nor user: what keeps its pieces together."""


@dataclass(frozen=True)
class Part:
    """An object whose keys become metadata, under a prefix or as they are."""

    path: str
    under: str = ""
    keeps_nulls: bool = False
    may_be_any: bool = False
    """Whether it may be something else than an object; then it is a field of its own name."""


@dataclass(frozen=True)
class Exchange:
    """What a row says of a prompt and its generation: it becomes an event for each."""

    prompt: Paths
    generation: Paths
    prompt_name: str = ""
    generation_name: str = ""
    """Keys that name the two events; else they are "User prompt" and "AI generation"."""
    prompt_fields: Fields = field(default_factory=dict)
    generation_fields: Fields = field(default_factory=dict)
    """Metadata of one of the two alone."""
    latency: Paths = ()
    ended_at: Paths = ()
    begins: bool = False
    """Whether event_at is when the prompt was sent; else it is when the generation came."""
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values of keys with which a row is an exchange; other rows are one event."""
    within: Paths = ()
    """What tells that equal texts are the same prompt or generation told twice: the trace that both are of."""
    is_strict: bool = False
    """Whether both must be there and strings; else messages, parts and objects are looked through."""

    @functools.cached_property
    def of_one(self) -> Paths:
        """Paths that speak for a field of one of the two events."""
        fields = (self.prompt_fields, self.generation_fields)
        return tuple(path for own in fields for paths in own.values() for path in paths)


@dataclass(frozen=True)
class Conversation:
    """An array of messages: a session with an event for each."""

    messages: Paths
    message_at: Paths
    message_id: Paths
    text: Paths


@dataclass(frozen=True)
class Format:
    """A format of rows. ``drop`` names what is neither a column nor metadata, beside what speaks for a column."""

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
    json: Paths = ()
    """Keys that may hold JSON text, as CSV and Parquet carry objects."""
    requires_user: bool = False
    is_utc: bool = False
    """Whether the source documents that its times without a zone are UTC."""
    only: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Values of keys that rows must have to be events; others are refused as what they are."""
    exchange: Exchange | None = None
    conversation: Conversation | None = None
    leaves_others: bool = False
    """Whether rows that are not of it are told by their shapes, though it was chosen."""

    @functools.cached_property
    def dropped(self) -> tuple[frozenset[str], Paths]:
        """Keys, and paths into objects, of what is never metadata under its own name."""
        paths = [*self.drop, *(path for paths in self.fields.values() for path in paths)]
        return frozenset(path for path in paths if "." not in path), tuple(path for path in paths if "." in path)


def _is_there(row: Row, path: str) -> bool:
    return path in row or ("." in path and lookup(row, path) is not None)


def is_among(value: object, values: frozenset[str]) -> bool:
    """Whether a value is one of these strings."""
    return isinstance(value, str) and value in values


def _is_array(value: object) -> bool:
    return isinstance(value, list | tuple) or (isinstance(value, str) and value.lstrip().startswith("["))

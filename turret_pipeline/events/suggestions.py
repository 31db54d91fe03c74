"""A mapping for rows of unknown shape, suggested only if the rows can be read by it."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from turret_pipeline.events.formats.guesses import (
    Values,
    collect_values,
    find_paths,
    find_times_by_value,
    fits,
    is_in_array,
    is_inside,
    is_name,
    is_text,
)
from turret_pipeline.events.formats.mapping import ColumnMapping
from turret_pipeline.events.formats.message import ROLES, USER, read_message
from turret_pipeline.events.formats.messages import find_new_message, read_messages
from turret_pipeline.events.formats.row_values import Row, first_value
from turret_pipeline.events.parsing import Parsed, ParseOptions, parse_records
from turret_pipeline.events.rows import Record

ACCEPTED_SHARE = 0.9
"""Share of the rows that a suggested mapping must read."""

_SAMPLED = 1000
"""Rows that a suggestion is made from and tested on."""

_ID_ROLES = ("session_id", "user_id", "event_id")
_CALL_ROLES = (
    *("answered_at", "latency_ms", "latency_seconds", "model", "input_tokens", "output_tokens", "cost_usd"),
    *("finish_reason", "is_error"),
)
_FIRST_ROLES = ("messages", "message_author", "message_text", "prompt", "generation", "event_name")
_DISTINCT_SHARE, _DISTINCT_NAMES = 0.3, 200
_Roles = dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Suggestion:
    """A mapping, and the events and rejections that it makes of the rows."""

    mapping: ColumnMapping
    parsed: Parsed

    @property
    def accepted_count(self) -> int:
        """Rows that the mapping reads."""
        return self.parsed.row_count - self.parsed.rejected.height


def suggest_mapping(records: Iterable[Record], options: ParseOptions) -> Suggestion | None:
    """The first guess by which at least ACCEPTED_SHARE of the rows can be read, or None."""
    sample = [record for record in records if isinstance(record.value, Mapping)][:_SAMPLED]
    rows = [record.value for record in sample if isinstance(record.value, Mapping)]
    for roles in _guess_mappings(rows) if rows else ():
        mapping = ColumnMapping.model_validate(roles)
        parsed = parse_records(sample, replace(options, selected_format=mapping.to_format()))
        suggestion = Suggestion(mapping, parsed)
        if suggestion.accepted_count >= ACCEPTED_SHARE * len(sample):
            return suggestion
    return None


class _Guesser:
    """Values of rows, and the paths whose names and values fit a role."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.values: Values = collect_values(rows)

    def find(self, *roles: str) -> _Roles:
        """Paths by role, without the roles that no path fits."""
        return {role: paths for role in roles if (paths := find_paths(role, self.values, len(self.rows)))}

    def find_plain(self) -> _Roles:
        """Time and ids, which any row may have. An id that rows share is no id of a row."""
        times = self.find("event_at") or {"event_at": find_times_by_value(self.values, len(self.rows))}
        ids = self.find(*_ID_ROLES)
        found = [str(first_value(row, ids.get("event_id", ()))[1]) for row in self.rows]
        if len(set(found)) < len(found):
            ids.pop("event_id", None)
        return {**times, **ids}


def _guess_mappings(rows: Sequence[Row]) -> Iterator[_Roles]:
    """Possible mappings, the most telling first: chats and calls, messages, then plain events."""
    guesser = _Guesser(rows)
    plain = guesser.find_plain()
    for guess in (_guess_chat, _guess_call, _guess_message, _guess_event):
        if roles := guess(guesser, plain):
            yield _use_once(roles)


def _guess_chat(guesser: _Guesser, plain: _Roles) -> _Roles:
    """Roles of rows with an array of messages: a chat, or a call if an answer follows the user's message."""
    arrays = {path: shape for path, found in guesser.values.items() if (shape := _find_message_keys(found)) is not None}
    if not arrays:
        return {}
    path = min(arrays, key=lambda path: (is_inside("generation", path), path.count(".")))
    own: _Roles = {"messages": (path,), **arrays[path]}
    answers = tuple(
        answer
        for answer in guesser.find("generation").get("generation", ())
        if not f"{path}.".startswith(f"{answer}.") and not f"{answer}.".startswith(f"{path}.")
    )
    is_call = not arrays[path] and all(find_new_message(read_messages(value, USER)) for value in guesser.values[path])
    if answers and is_call:
        return {**plain, **own, "generation": answers, **guesser.find(*_CALL_ROLES)}
    return {**{role: paths for role, paths in plain.items() if role != "event_id"}, **own}


def _find_message_keys(values: Sequence[Any]) -> _Roles | None:
    """Keys of author and text if the values are arrays of messages, empty if the keys are the usual ones; or None."""
    if not all(isinstance(value, list | tuple) for value in values):
        return None
    items = [item for value in values for item in value]
    if not items or not all(isinstance(item, Mapping) for item in items):
        return None
    messages = [read_message(item) for item in items]
    if None not in messages and any(message and message.role == USER and message.content.text for message in messages):
        return {}
    inner = _Guesser(items)
    found = _find_author_and_text(inner)
    return {**found, **inner.find("message_at")} if found else None


def _find_author_and_text(guesser: _Guesser) -> _Roles:
    """Keys of author and text of messages, and the names of people if the author has unknown names; or nothing."""
    for author in guesser.find("author").get("author", ()):
        names = {str(value).strip().lower() for value in guesser.values[author]}
        people = sorted(name for name in names if ROLES.get(name) == USER)
        texts = guesser.find("text").get("text") or _find_longest_text(guesser)
        if people and texts and len(guesser.values[author]) >= ACCEPTED_SHARE * len(guesser.rows):
            is_known = names <= ROLES.keys()
            return {
                "message_author": (author,),
                "message_text": texts,
                **({} if is_known else {"user_authors": tuple(people)}),
            }
    return {}


def _guess_call(guesser: _Guesser, plain: _Roles) -> _Roles:
    texts = guesser.find("prompt", "generation")
    if "prompt" not in texts or ("generation" not in texts and guesser.find("event_name")):
        return {}
    return {**plain, **texts, **guesser.find(*_CALL_ROLES)}


def _guess_message(guesser: _Guesser, plain: _Roles) -> _Roles:
    found = _find_author_and_text(guesser)
    return {**plain, **found} if found else {}


def _guess_event(guesser: _Guesser, plain: _Roles) -> _Roles:
    """Roles of plain events; rows with a text and no name get a constant name."""
    name = guesser.find("event_name") or _find_name_by_value(guesser)
    if not name and _find_longest_text(guesser):
        name = {"event_name": ("=Event",)}
    return {**name, **plain} if name and plain.get("event_at") else {}


def _find_longest_text(guesser: _Guesser) -> tuple[str, ...]:
    """The path with the longest texts of several words, or nothing."""
    lengths = {
        path: sum(map(len, found)) / len(found)
        for path, found in guesser.values.items()
        if not is_in_array(path) and fits(found, lambda value: is_text(value) and " " in value.strip())
    }
    return (max(lengths, key=lambda path: lengths[path]),) if lengths else ()


def _find_name_by_value(guesser: _Guesser) -> _Roles:
    """The path with the most distinct words among those that repeat a few words in all rows, or nothing."""
    limit = min(len(guesser.rows) * _DISTINCT_SHARE, _DISTINCT_NAMES)
    distinct = {
        path: count
        for path, found in guesser.values.items()
        if len(found) == len(guesser.rows)
        and fits(found, is_name)
        and 1 < (count := len(set(map(str, found)))) <= limit
    }
    return {"event_name": (max(distinct, key=lambda path: distinct[path]),)} if distinct else {}


def _use_once(roles: _Roles) -> _Roles:
    """The roles without paths that an earlier role has: texts and names come first, then times, then ids."""
    order = (*_FIRST_ROLES, *roles)
    used, kept = set[str](), _Roles()
    for role in dict.fromkeys(role for role in order if role in roles):
        paths = roles[role] if role == "user_authors" else tuple(path for path in roles[role] if path not in used)
        if paths:
            kept[role] = paths
            used.update(paths)
    return kept

"""A row and the table of its format to events."""

import dataclasses
import datetime as dt
import hashlib
from collections.abc import Callable
from typing import Any

from turret_pipeline.events.formats import columns as read
from turret_pipeline.events.formats.columns import Paths, Row, spoken, told
from turret_pipeline.events.formats.event import Event, Refused
from turret_pipeline.events.formats.table import Exchange, Fields, Format, Part, is_among
from turret_pipeline.events.formats.texts import ASSISTANT, USER, said

PROMPT_NAME, GENERATION_NAME = "User prompt", "AI generation"


def events_of(row: Row, table: Format) -> list[Event]:
    """The events of a row, in the order in which they happened. Raises Refused."""
    from turret_pipeline.events.formats.conversations import messages_of

    opened = read.opened(row, table.json)
    _refuse_others(opened, table)
    if table.conversation is not None:
        return messages_of(opened, table, table.conversation)
    if table.exchange is not None and (events := _exchange(opened, table, table.exchange)):
        return events
    shared, used = shared_event(opened, table)
    path, value = spoken(opened, table.columns.event_name)
    metadata = metadata_of(opened, table, {*used, path})
    return [dataclasses.replace(shared, event_name=read.name(path, value), metadata=metadata)]


def shared_event(row: Row, table: Format) -> tuple[Event, set[str]]:
    """An event without name and metadata, and the paths that spoke for its columns."""
    columns, used = table.columns, set[str]()

    def first(paths: Paths) -> tuple[str, Any]:
        path, value = spoken(row, paths)
        used.add(path)
        return path, value

    event_id = read.identifier("event_id", *first(columns.event_id))
    session_id = read.identifier("session_id", *first(columns.session_id))
    user_id = read.identifier("user_id", *first(columns.user_id))
    if user_id is None and table.requires_user:
        raise Refused("missing_user_id", f"{columns.user_id[0]} is missing: a {table.title} needs one.")
    if session_id is None and user_id is None and columns.lone_session_id:
        session_id = read.identifier("session_id", *spoken(row, columns.lone_session_id))
    received_at, is_received_assumed = read.time(*first(columns.received_at))
    event_at, is_assumed = read.time(*first(columns.event_at))
    if event_at is None:
        event_at, is_assumed = received_at, is_received_assumed
    is_zone_assumed = is_assumed and not table.is_utc
    return Event(event_id, "", session_id, user_id, event_at, received_at, table.name, {}, is_zone_assumed), used


def metadata_of(row: Row, table: Format, used: set[str], alone: Fields | None = None) -> dict[str, Any]:
    """What the row says beside its columns: the rest, then the parts, then fields of their own names."""
    fields = {**table.fields, **(alone or {})}
    spoken_for = (*table.drop, *used, *(path for paths in fields.values() for path in paths))
    left = read.without(row, filter(None, spoken_for))
    parts: dict[str, Any] = {}
    for part in table.parts:
        parts |= _part(left, part)
    heads = {part.path for part in table.parts}
    rest = {key: value for key, value in left.items() if key not in heads} if table.keeps_rest else {}
    return {**told(rest), **parts, **fields_of(row, fields)}


def fields_of(row: Row, fields: Fields) -> dict[str, Any]:
    """Fields that come from paths of their own."""
    return told({key: spoken(row, paths)[1] for key, paths in fields.items()})


def _part(left: Row, part: Part) -> dict[str, Any]:
    value = read.lookup(left, part.path)
    if part.may_be_any and not isinstance(value, dict):
        return {} if value is None or value == "" else {part.under or part.path.rpartition(".")[2]: value}
    found = read.an_object(part.path, value)
    inner = dict(found) if part.keeps_nulls else told(found)
    return {part.under: inner} if part.under and inner else inner


def _refuse_others(row: Row, table: Format) -> None:
    for key, values in table.only.items():
        if not is_among(value := row.get(key), values):
            verdict = f"of {table.title}s, only those with {' or '.join(sorted(values))} are events."
            raise Refused("not_an_event", f"{key} is {read.shown(value)}: {verdict}")


def _exchange(row: Row, table: Format, exchange: Exchange) -> list[Event]:
    """The prompt and the generation that a row tells, or one of them; nothing where it tells neither."""
    if not all(is_among(row.get(key), values) for key, values in exchange.only.items()):
        return []
    found = {"prompt": (exchange.prompt, USER), "generation": (exchange.generation, ASSISTANT)}
    texts, used = dict[str, str](), set[str]()
    for part, (paths, speaker) in found.items():
        path, value = spoken(row, paths)
        text = read.text(part, path, value) if exchange.is_strict else said(value, speaker)
        if text is not None:
            texts[part] = text
            used.add(path)
    if not texts:
        return []
    shared, columns = shared_event(row, table)
    times, seconds, timing = _times(row, shared.event_at, exchange)
    own = {"prompt": exchange.prompt_fields, "generation": exchange.generation_fields}
    apart = tuple(path for fields in own.values() for paths in fields.values() for path in paths)
    metadata = metadata_of(
        row, table, {*used, *columns, *timing, *apart, exchange.prompt_name, exchange.generation_name}
    )
    names = {"prompt": (exchange.prompt_name, PROMPT_NAME), "generation": (exchange.generation_name, GENERATION_NAME)}
    latency = {"generation": {"latency": seconds}} if seconds is not None else {}
    identify = _ids(row, shared.event_id, exchange)
    return [
        dataclasses.replace(
            shared,
            event_id=identify(part, text),
            event_name=_part_name(row, *names[part]),
            event_at=times[part],
            metadata={**metadata, **fields_of(row, own[part]), part: text, **latency.get(part, {})},
        )
        for part, text in texts.items()
    ]


def _part_name(row: Row, key: str, default: str) -> str:
    value = row.get(key) if key else None
    return default if value is None else read.name(key, value)


def _ids(row: Row, event_id: str | None, exchange: Exchange) -> Callable[[str, str], str | None]:
    """How the ids of the two events are made: of the row's, or of the trace and the text where it may come again."""
    trace = read.identifier("event_id", *spoken(row, exchange.within)) if exchange.within else None

    def identify(part: str, text: str) -> str | None:
        if trace is not None:
            return f"{trace}-{part}-{digest(text)}"
        return f"{event_id}-{part}" if event_id else None

    return identify


def _times(
    row: Row, at: dt.datetime | None, exchange: Exchange
) -> tuple[dict[str, dt.datetime | None], float | None, set[str]]:
    """When the prompt was sent and the generation came, the seconds between, and the paths that told it."""
    latency_path, latency = spoken(row, exchange.latency)
    ended_path, ended = spoken(row, exchange.ended_at)
    seconds, (ended_at, _) = read.latency(latency_path, latency), read.time(ended_path, ended)
    used = {latency_path, ended_path}
    if at is None:
        return {"prompt": None, "generation": None}, seconds, used
    if ended_at is not None and exchange.begins:
        seconds = max((ended_at - at).total_seconds(), 0)
    between = dt.timedelta(seconds=seconds or 0)
    prompted_at = at if exchange.begins else at - between
    return {"prompt": prompted_at, "generation": prompted_at + between}, seconds, used


def digest(*texts: str | None) -> str:
    """A short hash of texts, the same wherever they stand."""
    joined = "\x1f".join(text or "" for text in texts)
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()

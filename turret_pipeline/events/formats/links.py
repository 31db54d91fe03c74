"""Links between ids of one person, found in a row by the description of its format."""

import contextlib
import datetime as dt
from collections.abc import Iterator
from typing import NamedTuple

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Format, Identity, is_among
from turret_pipeline.events.formats.row_values import (
    Paths,
    Row,
    first_identifier,
    first_value,
    lookup,
    parse_identifier,
    parse_json_columns,
    parse_time,
)

USER, ANONYMOUS, DEVICE = "user", "anonymous", "device"


class Link(NamedTuple):
    """An id as sent, its kind, and the user that it belongs to; None for an id that a row gives without a user."""

    sent_id: str
    id_kind: str
    linked_id: str | None
    evidence: str


def find_links(row: Row, spec: Format) -> list[Link]:
    """Links between ids of one person in a row; values that are no ids give none."""
    if not spec.identities:
        return []
    parsed, _ = parse_json_columns(row, spec.json_columns)
    return [link for identity in spec.identities for link in _links_of(parsed, identity)]


def find_time(row: Row, spec: Format) -> dt.datetime | None:
    """Time of a row that is no event; None if it has none that can be read."""
    for paths in (spec.columns.event_at, spec.columns.received_at):
        with contextlib.suppress(Rejection):
            at, _ = parse_time(*first_value(row, paths))
            if at is not None:
                return at
    return None


def _links_of(row: Row, identity: Identity) -> Iterator[Link]:
    if not all(is_among(row.get(key), values) for key, values in identity.only_if.items()):
        return
    user, aliases = _find_user(row, identity.user), _find_ids(row, identity.aliases)
    if user is None and aliases:
        user, *aliases = aliases
    devices = _find_ids(row, identity.devices)
    anonymous = _find_ids(row, identity.anonymous)
    if identity.device_prefix:
        devices += [f"{identity.device_prefix}{name}" for name in (*devices, *anonymous)]
    for kind, ids in ((USER, aliases), (ANONYMOUS, anonymous), (DEVICE, devices)):
        for name in ids:
            if name != user and not (user is None and kind == USER):
                yield Link(name, kind, user, identity.evidence)


def _find_user(row: Row, paths: Paths) -> str | None:
    with contextlib.suppress(Rejection):
        return first_identifier("user_id", row, paths)[1]
    return None


def _find_ids(row: Row, paths: Paths) -> list[str]:
    """The ids at all paths; an array gives each of its items."""
    found = []
    for path in paths:
        value = lookup(row, path)
        for item in value if isinstance(value, list) else [value]:
            with contextlib.suppress(Rejection):
                if (name := parse_identifier("user_id", path, item)) is not None:
                    found.append(name)
    return found

"""Choice of the objects whose keys are too many to be fields: each becomes one structured field."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from turret_pipeline.errors import list_names
from turret_pipeline.tables import OTHER

EVENT_FIELD_LIMIT = 1000
"""Fields of one event. It is no setting: values are extracted once, and other values would need all files again."""


@dataclass(frozen=True)
class Folds:
    """Objects that become one field each, with their number of keys, and further fields that become OTHER together."""

    prefixes: Mapping[str, int] = field(default_factory=dict)
    others: frozenset[str] = frozenset()


@dataclass
class _Node:
    """A key in an object. ``field_count`` is the number of fields at it and below it."""

    path: str
    parent: "_Node | None"
    is_folded: bool = False
    field_count: int = 0
    children: dict[str, "_Node"] = field(default_factory=dict)

    def add_to_counts(self, change: int) -> None:
        node: _Node | None = self
        while node is not None:
            node.field_count += change
            node = node.parent


def choose_folds(event_counts: Mapping[str, int], limit: int) -> Folds:
    """The folds after which at most ``limit`` fields are left, from the number of events of each field.

    Objects with the most keys are folded first. If that is not enough, the rarest fields outside of objects follow.
    """
    if len(event_counts) <= limit:
        return Folds()
    root = _build_tree(event_counts)
    prefixes: dict[str, int] = {}
    for node in sorted(_list_objects(root), key=lambda node: (-len(node.children), node.path)):
        if root.field_count <= limit:
            break
        if node.field_count > 1 and not _is_in_fold(node):
            node.is_folded = True
            node.add_to_counts(1 - node.field_count)
            kept = {path: count for path, count in prefixes.items() if not path.startswith(f"{node.path}.")}
            prefixes = {**kept, node.path: len(node.children)}
    excess = root.field_count - limit
    plain = [node.path for node in root.children.values() if not node.children]
    if excess <= 0 or len(plain) < 2:
        return Folds(prefixes)
    rarest = sorted(plain, key=lambda name: (event_counts[name], name))
    return Folds(prefixes, frozenset(rarest[: excess + 1]))


def describe_folds(folds: Folds, field_count: int, limit: int) -> str:
    """A sentence about the folds; empty if there are none."""
    if not folds.prefixes and not folds.others:
        return ""
    parts = [f"{prefix} ({count:,} keys)" for prefix, count in list(folds.prefixes.items())[:5]]
    more = len(folds.prefixes) - len(parts)
    parts += [f"{more:,} more objects"] if more else []
    parts += [f"{OTHER} ({len(folds.others):,} rare fields)"] if folds.others else []
    return (
        f"The metadata have {field_count:,} fields, more than field_limit ({limit:,}). One structured field each "
        f"became: {', '.join(parts)}. To keep their keys apart, raise field_limit (TURRET_FIELD_LIMIT)."
    )


def describe_wide_events(count: int) -> str:
    """A sentence about the events with more fields than EVENT_FIELD_LIMIT; empty if there are none."""
    if not count:
        return ""
    events = "1 event has" if count == 1 else f"{count:,} events have"
    return (
        f"{events} more than {EVENT_FIELD_LIMIT:,} metadata fields: of such an event, the objects with the most keys "
        f"became one structured field each, and then fields outside of objects the field {OTHER}."
    )


def describe_flat_and_nested(fields: Sequence[str]) -> str:
    """A sentence about the fields that come as a key with dots and as nested objects; empty if there are none."""
    if not fields:
        return ""
    return (
        f"Written in two ways, as one key with dots and as nested objects: {list_names(fields)}. Each is one field; if "
        "an event has both, its key with dots becomes the field in quotes."
    )


def _build_tree(fields: Mapping[str, int]) -> _Node:
    root = _Node("", None)
    for name in sorted(fields):
        node = root
        for key in name.split("."):
            if key not in node.children:
                node.children[key] = _Node(f"{node.path}.{key}" if node.parent else key, node)
            node = node.children[key]
        node.add_to_counts(1)
    return root


def _list_objects(root: _Node) -> list[_Node]:
    """All keys that have keys below them, except the root."""
    found, waiting = list[_Node](), list(root.children.values())
    while waiting:
        node = waiting.pop()
        if node.children:
            found.append(node)
            waiting.extend(node.children.values())
    return found


def _is_in_fold(node: _Node) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.is_folded:
            return True
        parent = parent.parent
    return False

"""Topics, events and themes by the names that users type: an id, a label, or a unique part of a label."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.tables import EVENT_NAME, USER

TOPIC_NAMES = """
select 'topic' as kind, field as dimension, topic_id as name, label, [topic_id] as node_ids from marts.topics
"""

NODE_NAMES = f"""
{TOPIC_NAMES} where status = 'active'
union all
select 'event', '{EVENT_NAME}', node_id, node_id, [node_id]
from marts.journey_nodes where dimension = '{EVENT_NAME}'
union all
select 'theme', field, theme_id, min(theme_label), list(topic_id order by topic_id)
from marts.topics where status = 'active' and theme_id is not null group by field, theme_id
"""

EXAMPLES, MATCHES = 3, 5
"""Names shown when no name matches, and when several match."""


@dataclass(frozen=True)
class Node:
    """A topic, an event or a theme, with the nodes that it has in its dimension."""

    kind: str
    dimension: str
    name: str
    label: str
    node_ids: tuple[str, ...]


def find_node(known: pl.DataFrame, name: str, dimension: str, kinds: Sequence[str]) -> Node:
    """The node with this name among the rows of NODE_NAMES; the prefix topic:, event: or theme: selects a kind.

    A topic takes precedence over an event, an event over a theme, and a node of ``dimension`` over any other node.
    Raises TurretError if no node or several nodes match.
    """
    known = known.filter(pl.col("kind").is_in(list(kinds)))
    order = pl.col("kind").replace_strict({"topic": 0, "event": 1, "theme": 2}, return_dtype=pl.Int64)
    is_elsewhere = pl.col("dimension") != dimension.removeprefix(USER)
    known = known.sort(is_elsewhere, order, "name")
    kind, _, rest = name.partition(":")
    of_kind = known.filter(pl.col("kind") == kind) if rest else known.clear()
    for candidates, wanted in ((known, name), (of_kind, rest)):
        if found := find_by_name(candidates, wanted):
            return found
    wanted, candidates = (rest, of_kind) if of_kind.height else (name, known)
    raise TurretError(_unknown_message(wanted, kinds, candidates))


def find_by_name(known: pl.DataFrame, wanted: str, unique_within: Sequence[str] = ("kind", "dimension")) -> Node | None:
    """The first node with this id, else with this label, else the first whose label contains the name.

    A label, and a part of one, must be unique among the nodes with the same ``unique_within``; "Label (id)" always is.
    Raises TurretError if several nodes match.
    """
    lower, label = wanted.lower(), pl.col("label").str.to_lowercase()
    label_with_id = pl.format("{} ({})", "label", "name").str.to_lowercase()
    contains = label.str.contains(lower, literal=True) if lower else pl.lit(value=False)
    for test in (pl.col("name") == wanted, label_with_id == lower, label == lower, contains):
        found = known.filter(test)
        if found.height:
            first = found.head(1)
            same = found.join(first, on=list(unique_within), how="semi", maintain_order="left")
            if same.height > 1:
                raise TurretError(_ambiguous_message(wanted, same))
            return _to_node(first.row(0, named=True))
    return None


def _to_node(row: dict[str, object]) -> Node:
    ids = row["node_ids"]
    assert isinstance(ids, list)
    return Node(str(row["kind"]), str(row["dimension"]), str(row["name"]), str(row["label"]), tuple(ids))


def _display_names(known: pl.DataFrame) -> list[str]:
    """Labels, each followed by the id if that differs."""
    return [
        label if label == name else f"{label} ({name})" for name, label in known.select("name", "label").iter_rows()
    ]


def _ambiguous_message(wanted: str, found: pl.DataFrame) -> str:
    names = ", ".join(_display_names(found)[:MATCHES])
    return f"{wanted!r} is ambiguous: it matches {names}. Use the full label or the id."


def _unknown_message(wanted: str, kinds: Sequence[str], known: pl.DataFrame) -> str:
    what = f"{', '.join(kinds[:-1])} or {kinds[-1]}" if len(kinds) > 1 else kinds[0]
    labels = dict(zip(_display_names(known), known["label"], strict=True))
    similar = difflib.get_close_matches(wanted, labels.values(), n=EXAMPLES, cutoff=0.5)
    names = [name for close in similar for name, label in labels.items() if label == close] or list(labels)
    examples = ", ".join(names[:EXAMPLES]) or "none"
    return f"Unknown {what} {wanted!r}. Examples: {examples}. `turret topics list` lists all topics."

"""Flows: what sessions do in the steps before and after their first visit to a node, counted in SQL."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import duckdb
import polars as pl

from turret_pipeline.reports.journey_scope import read_shares
from turret_pipeline.reports.node_numbers import find_numbers, number_of, numbers_of, quote
from turret_pipeline.storage.numbered_tables import NEIGHBOURS
from turret_pipeline.tables import END, OTHER, START, USER

MAX_DISTANCE, MAX_NODES = 5, 12
MAX_NEIGHBOUR = max(NEIGHBOURS)


@dataclass(frozen=True)
class FlowOptions:
    """The extent of a flow: its middle node, how far it goes, and how steps are made.

    The middle may be (start) or (end). With ``is_repeated`` each event is a step, else consecutive events on one node
    are one. Hidden nodes are passed over as if they were not there; with ``by_theme`` topics of one theme are one node.
    ``start`` and ``end`` select sessions by the first and the last node, before anything is hidden.
    """

    node: str
    before: int = 3
    after: int = 3
    is_repeated: bool = False
    hidden: tuple[str, ...] = ()
    by_theme: bool = False
    start: str = ""
    end: str = ""

    @property
    def keeps_steps(self) -> bool:
        """True if its steps are those of scoped_steps, of all sequences or of some."""
        return not (self.is_repeated or self.hidden or self.by_theme)

    @property
    def layers(self) -> range:
        """Positions of the steps shown: negative before the node, 0 the node, positive after it."""
        return range(
            0 if self.node == START else -self.before,
            (0 if self.node == END else self.after) + 1,
        )


def define_flows(
    connection: duckdb.DuckDBPyConnection,
    dimension: str,
    options: FlowOptions,
    min_users: int = 1,
    named: Mapping[int, Sequence[str]] | None = None,
) -> None:
    """Create the table flow_sequences of a connection of ``open_journeys``.

    It has one row per session with the node: sequence, cluster, and the number of the node of each layer
    (``column_of``), null before (start) and after (end). Each layer has its MAX_NODES most frequent nodes, all others
    are (other). As in edges, a flow of fewer than ``min_users`` users goes to (other). With ``named``, each layer has
    these nodes instead (``list_named_nodes`` of another scope), so that the flows of both scopes can be compared.
    """
    connection.execute(f"create or replace temp view flow_steps as {_select_steps(dimension, options)}")
    connection.execute(f"create or replace temp table flow_sequences as {_select_layers(dimension, options)}")
    for layer in options.layers:
        if layer:
            inner = layer + 1 if layer < 0 else layer - 1
            column = column_of(layer)
            if named is None:
                _combine_small_nodes(connection, column)
            else:
                _combine_unnamed_nodes(connection, column, named.get(layer, ()))
            if min_users > 1:
                _suppress_few_users(connection, column, column_of(inner), min_users)


def read_flows(connection: duckdb.DuckDBPyConnection, options: FlowOptions) -> pl.DataFrame:
    """Flows between consecutive layers of ``define_flows``, with shares of the sessions that have the node.

    The frame has layer (of the earlier step), from_node_id, to_node_id and the columns of ``read_shares``.
    """
    pairs = [(layer, layer + 1) for layer in options.layers[:-1]]
    parts = [
        f"select {layer} as layer, {column_of(layer)} as from_node, {column_of(following)} as to_node, "
        f"cluster, 1 as hits from flow_sequences "
        f"where {column_of(layer)} is not null and {column_of(following)} is not null"
        for layer, following in pairs
    ]
    members = " union all ".join(parts)
    flows = read_shares(connection, members, ["layer"], "flow_sequences", ["from_node", "to_node"])
    return flows.sort("layer", "session_count", "from_node_id", "to_node_id", descending=[False, True, False, False])


def list_named_nodes(flows: pl.DataFrame) -> dict[int, tuple[str, ...]]:
    """The nodes of each layer of ``read_flows``, without (start), (end) and (other)."""
    ends = [
        flows.select(pl.col("layer") + step, node=pl.col(column))
        for step, column in ((0, "from_node_id"), (1, "to_node_id"))
    ]
    nodes = pl.concat(ends).unique().filter(~pl.col("node").is_in([START, END, OTHER])).sort("layer", "node")
    return {layer: tuple(of_layer["node"]) for (layer,), of_layer in nodes.group_by("layer", maintain_order=True)}


def select_middle_sequences() -> str:
    """The query of all sequences with the node, after ``define_flows``."""
    return "select sequence from flow_sequences"


def select_flow_sequences(layer: int, from_node: str, to_node: str) -> str:
    """The query of the sequences of a flow, after ``define_flows``."""
    is_flow = f"{column_of(layer)} = {number_of(from_node)} and {column_of(layer + 1)} = {number_of(to_node)}"
    return f"{select_middle_sequences()} where {is_flow}"


def column_of(layer: int) -> str:
    """The column of a layer in flow_sequences."""
    return f"before_{-layer}" if layer < 0 else f"after_{layer}"


def _select_steps(dimension: str, options: FlowOptions) -> str:
    """Steps with a number that counts on within a sequence: sequence, cluster, node, number."""
    node, source = "node", "scoped_steps"
    if options.by_theme:
        source = f"(from scoped_steps left join ({_select_themes(dimension)}) using (node))"
        node = "coalesce(theme, node)"
    conditions = [f"{node} not in {numbers_of(options.hidden)}"] if options.hidden else []
    conditions += [_select_by_end(column, end, node, source) for column, end in _list_ends(options)]
    where = f"where {' and '.join(conditions)}" if conditions else ""
    if options.keeps_steps:
        return f"select *, step_number as number from {source} {where}"
    steps = (
        f"select sequence, cluster, {node} as node, event_count from {source} {where} order by sequence, step_number"
    )
    if options.is_repeated:
        steps = f"select * exclude (event_count), unnest(range(event_count)) as repetition from ({steps})"
    else:  # what was between two steps on one node may be gone
        steps = (
            f"from ({steps}) qualify lag(sequence) over () is distinct from sequence "
            "or lag(node) over () is distinct from node"
        )
    return f"select sequence, cluster, node, row_number() over () as number from ({steps})"


def _select_themes(dimension: str) -> str:
    """The numbers of topics (node) with those of their themes."""
    field = quote(dimension.removeprefix(USER))
    return f"""
        select nodes.node, themes.node as theme from marts.topics
        join numbered.nodes on nodes.node_id = topic_id
        join numbered.nodes as themes on themes.node_id = theme_id
        where field = {field}
    """


def _list_ends(options: FlowOptions) -> Sequence[tuple[str, str]]:
    ends = {"step_number = 1": options.start, "next_node is null": options.end}
    return [(condition, node) for condition, node in ends.items() if node]


def _select_by_end(condition: str, end: str, node: str, source: str) -> str:
    return f"sequence in (select sequence from {source} where {condition} and {node} = {number_of(end)})"


def _select_layers(dimension: str, options: FlowOptions) -> str:
    """The rows of flow_sequences, before nodes are combined."""
    # steps of users are made for each scope: to find the neighbours of all would take longer than it saves
    is_known = options.keeps_steps and not dimension.startswith(USER)
    wide = _select_from_steps(options) if is_known else _select_around_middle(options)
    layers = "".join(f", {_end_layer(layer)}" for layer in options.layers if layer)
    middle = f"select *, {number_of(options.node)} as after_0 from ({wide})"
    return f"select sequence, cluster, after_0 {layers} from ({middle})"


def _select_from_steps(options: FlowOptions) -> str:
    """The layers of stored steps, from one step of each sequence, which knows its neighbours (NEIGHBOURS).

    It is the first one on the node, or for (start) and (end) the first and the last step. Steps of layers that are
    further away are looked up.
    """
    bases = {START: ("step_number = 1", 1), END: ("next_node is null", -1)}
    visit = f"node = {number_of(options.node)} and is_first_visit"
    condition, base_layer = bases.get(options.node, (visit, 0))
    columns, joins = [], ""
    for layer in options.layers:
        distance = layer - base_layer
        if layer and abs(distance) <= MAX_NEIGHBOUR:
            columns.append(f"base.{NEIGHBOURS.get(distance, 'node')} as {column_of(layer)}")
        elif layer:
            columns.append(f"{column_of(layer)}_step.node as {column_of(layer)}")
            joins += f"""
                left join (select sequence, step_number, node from flow_steps) as {column_of(layer)}_step
                on {column_of(layer)}_step.sequence = base.sequence
                and {column_of(layer)}_step.step_number = base.step_number + {distance}
            """
    named = "".join(f", {column}" for column in columns)
    return f"select base.sequence, base.cluster {named} from (from flow_steps where {condition}) as base {joins}"


def _select_around_middle(options: FlowOptions) -> str:
    middle = {START: "min(number) - 1", END: "max(number) + 1"}.get(options.node, "min(number)")
    where = "" if options.node in {START, END} else f"where node = {number_of(options.node)}"
    columns = [
        f"any_value(node) filter (number = middle + {layer}) as {column_of(layer)}" for layer in options.layers if layer
    ]
    first, last = options.layers[0], options.layers[-1]
    return f"""
        with middles as (select sequence, {middle} as middle from flow_steps {where} group by sequence)
        select sequence, any_value(cluster) as cluster {"".join(", " + column for column in columns)}
        from flow_steps join middles using (sequence)
        where number between middle + {first} and middle + {last}
        group by sequence
    """


def _end_layer(layer: int) -> str:
    """The column with (start) or (end) where the steps of a sequence begin or end."""
    column, inner = column_of(layer), column_of(layer + 1 if layer < 0 else layer - 1)
    end = number_of(START if layer < 0 else END)
    return f"coalesce({column}, if({inner} is not null, {end}, null)) as {column}"


def _combine_small_nodes(connection: duckdb.DuckDBPyConnection, column: str) -> None:
    start, end, other = find_numbers(connection, (START, END, OTHER))
    sizes = connection.sql(
        f"select {column} from flow_sequences where {column} not in ({start}, {end}) "
        f"group by {column} order by count(*) desc, {column}"
    ).fetchall()
    if len(sizes) > MAX_NODES + 1:  # (other) is never a single node
        kept = ", ".join(str(node) for node in (*(size[0] for size in sizes[:MAX_NODES]), start, end))
        connection.execute(f"update flow_sequences set {column} = {other} where {column} not in ({kept})")


def _combine_unnamed_nodes(connection: duckdb.DuckDBPyConnection, column: str, named: Sequence[str]) -> None:
    kept = numbers_of([*named, START, END])
    connection.execute(f"update flow_sequences set {column} = {number_of(OTHER)} where {column} not in {kept}")


def _suppress_few_users(connection: duckdb.DuckDBPyConnection, column: str, inner: str, min_users: int) -> None:
    connection.execute(f"""
        update flow_sequences set {column} = {number_of(OTHER)} where ({column}, {inner}) in (
            select ({column}, {inner}) from flow_sequences where {column} is not null
            group by {column}, {inner} having count(distinct cluster) filter (cluster >= 0) < {min_users}
        )
    """)

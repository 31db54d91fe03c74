"""The funnel builder: how many sessions do one thing, then the next."""

import duckdb
import polars as pl

from turret_pipeline.dashboard.formats import describe_share
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.pages.journey_differences import compare_columns
from turret_pipeline.dashboard.pages.journey_parts import Journeys, Side
from turret_pipeline.dashboard.projects import Snapshot
from turret_pipeline.dashboard.tables import ColumnView, Row, TableView
from turret_pipeline.errors import TurretError
from turret_pipeline.reports.durations import parse_duration
from turret_pipeline.reports.journey_comparison import compare_frames
from turret_pipeline.reports.journey_funnels import FunnelOptions, define_funnel, read_funnel, suppress_few_users
from turret_pipeline.reports.node_names import NODE_NAMES, Node
from turret_pipeline.reports.scope import Scope

MAX_STEPS = 12
"""Steps of a funnel: each takes a query."""

IN_ORDER, ANY_ORDER = "strict", "any"
NAMED = ("step_number", "step", "kind", "id")


def show_funnel(page: Page) -> Content:
    """The page."""
    journeys = Journeys(page)
    options = parse_funnel(journeys)
    tables = []
    sides = journeys.list_sides()
    if len(options.steps) >= 2:
        tables.append(_tabulate(journeys, options))
        if sides:
            tables.append(_compare(journeys, options, *sides))
    values = journeys.values(
        options=options,
        choices=list_choices(journeys),
        steps=[(_value_of(node), node.label) for node in options.steps],
        excluded=[(_value_of(node), node.label, _without(journeys, node)) for node in options.excluded],
        within=page.state.get("within"),
        sides=sides,
    )
    return Content("journey_funnel.html", "Funnel", values, tuple(tables))


def parse_funnel(journeys: Journeys) -> FunnelOptions:
    """The funnel that the URL of a page asks for. Raises TurretError if a parameter is invalid."""
    state = journeys.page.state
    order, within = state.get("order") or IN_ORDER, state.get("within").strip()
    if order not in {IN_ORDER, ANY_ORDER}:
        raise TurretError(f"Invalid order {order!r}: use {IN_ORDER} or {ANY_ORDER}.")
    steps = tuple(find_node(journeys, text) for text in state.get_all("step"))
    if len(steps) > MAX_STEPS:
        raise TurretError(f"Too many steps ({len(steps)}): a funnel has {MAX_STEPS} at most.")
    if order == ANY_ORDER and len(set(steps)) < len(steps):
        raise TurretError("In any order a step can be chosen only once: remove the second one.")
    excluded = tuple(dict.fromkeys(find_node(journeys, text) for text in state.get_all("exclude")))
    return FunnelOptions(
        steps, order == ANY_ORDER, parse_duration(within) if within else None, excluded, journeys.is_of_users
    )


def find_node(journeys: Journeys, text: str) -> Node:
    """The topic, theme or event of a parameter such as topic:prompt-1. Raises TurretError if it is unknown."""
    nodes = journeys.page.published.remember("funnel nodes", lambda: _read_nodes(journeys.page.published))
    try:
        return nodes[text]
    except KeyError:
        raise TurretError(
            f"Unknown step {text!r}: choose topic:ID, theme:ID or event:NAME, as the form of this page does."
        ) from None


def list_choices(journeys: Journeys) -> list[tuple[str, list[tuple[str, str]]]]:
    """The groups of what a step can be, those of the dimension first, each with values and labels."""
    nodes = journeys.page.published.remember("funnel nodes", lambda: _read_nodes(journeys.page.published))
    groups: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for value, node in nodes.items():
        groups.setdefault((node.dimension, node.kind), []).append((value, node.label))
    own = journeys.dimension.removeprefix("user:")
    ordered = sorted(groups.items(), key=lambda group: (group[0][0] != own, group[0]))
    names = {"event": "Events", "topic": "Topics of {}", "theme": "Themes of {}"}
    return [(names[kind].format(dimension), choices) for (dimension, kind), choices in ordered]


def read_steps(connection: duckdb.DuckDBPyConnection, options: FunnelOptions) -> pl.DataFrame:
    """The steps of a funnel with their names."""
    define_funnel(connection, options)
    rows = read_funnel(connection, options)
    names = {"step": [node.label for node in options.steps], "kind": [node.kind for node in options.steps]}
    return pl.concat([pl.DataFrame(names | {"id": [node.name for node in options.steps]}), rows], how="horizontal")


def _read_nodes(published: Snapshot) -> dict[str, Node]:
    rows = published.query(f"from ({NODE_NAMES}) order by kind, dimension, label, name")
    nodes = [Node(kind, field, name, str(label), tuple(ids)) for kind, field, name, label, ids in rows.iter_rows()]
    return {_value_of(node): node for node in nodes}


def _value_of(node: Node) -> str:
    return f"{node.kind}:{node.name}"


def _without(journeys: Journeys, node: Node) -> str:
    """URL of the page without an excluded node."""
    state = journeys.page.state
    return state.change(exclude=[text for text in state.get_all("exclude") if text != _value_of(node)])


def _read(journeys: Journeys, options: FunnelOptions, scope: Scope) -> pl.DataFrame:
    rows = journeys.compute_in(scope, "funnel", lambda connection: read_steps(connection, options), options)
    return suppress_few_users(rows, journeys.page.min_users, NAMED)


def _tabulate(journeys: Journeys, options: FunnelOptions) -> TableView:
    noun = journeys.noun
    rows = _read(journeys, options, journeys.page.state.scope())
    columns = [
        ColumnView("step_number", "Step", "count"),
        ColumnView("step", "Did"),
        ColumnView("session_count", noun.capitalize(), "count", link=lambda row: _link(journeys, row)),
        ColumnView("share_of_all", f"Of all {noun}", "share", hint=lambda row: _hint(row, "all", row["total"], noun)),
        ColumnView("share_of_first", "Of step 1", "share", hint=lambda row: _hint_of(rows, row, "first", noun)),
        ColumnView(
            "share_of_previous", "Of step before", "share", hint=lambda row: _hint_of(rows, row, "previous", noun)
        ),
    ]
    if not options.is_any_order:
        columns.append(ColumnView("median_seconds_from_previous", "Since step before", "seconds"))
    columns.append(ColumnView("median_seconds_from_first", "Since step 1", "seconds"))
    return TableView("funnel", "Funnel", rows, tuple(columns))


def _hint_of(rows: pl.DataFrame, row: Row, base: str, noun: str) -> str:
    """The parts of the share of the first or the previous step."""
    earlier = 0 if base == "first" else row["step_number"] - 2
    total = rows["session_count"][max(earlier, 0)]
    return "" if total is None else _hint(row, base, total, noun)


def _hint(row: Row, base: str, total: int, noun: str) -> str:
    low, high = (row[f"share_of_{base}_{bound}"] for bound in ("low", "high"))
    return describe_share(row["session_count"], total, noun, low, high)


def _link(journeys: Journeys, row: Row) -> str:
    """URL of the sessions that reach a step."""
    state = journeys.page.state
    given = {name: state.get_all(name) for name in ("step", "order", "within", "exclude")}
    return journeys.link_list("funnel", reached=str(row["step_number"]), **given)


def _compare(journeys: Journeys, options: FunnelOptions, one: Side, other: Side) -> TableView:
    """Both sides' shares of the first step."""
    first, second = (_prepare_side(_read(journeys, options, side.scope)) for side in (one, other))
    rows = compare_frames(first, second, NAMED, "session_count", min_users=journeys.page.min_users)
    rows = rows.filter(pl.col("step_number") > 1).sort("step_number")
    columns = (
        ColumnView("step_number", "Step", "count"),
        ColumnView("step", "Did"),
        *compare_columns("session_count", f"{journeys.noun} with the first step"),
    )
    title = f"Differences between {one.label} and {other.label}"
    return TableView("differences", title, rows, columns, "Nothing to compare.")


def _prepare_side(rows: pl.DataFrame) -> pl.DataFrame:
    """The steps with the first one as their total."""
    return rows.with_columns(
        pl.col("session_count").first().alias("total"),
        pl.col("cluster_count").first(),
        pl.col("share_of_first").alias("share"),
    ).filter(pl.col("session_count").is_not_null())

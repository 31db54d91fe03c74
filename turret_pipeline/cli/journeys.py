"""`turret journeys`: questions about journeys, answered from the published tables."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from turret_pipeline.cli.console import new_console, write_text
from turret_pipeline.cli.journey_comparisons import compare, outcomes, struggles
from turret_pipeline.cli.journey_options import Name, Top, query_options
from turret_pipeline.cli.journey_query import JourneyQuery
from turret_pipeline.cli.journey_views import (
    Column,
    count_cell,
    duration_cell,
    interval_cell,
    print_matrix,
    print_table,
    share_cell,
    text_cell,
)
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.journeys.graph import FORMATS
from turret_pipeline.storage.atomic_files import atomic_replace

journeys = typer.Typer(
    help="Show how people move between topics or events. Commands show starts, next steps, ends, and differences "
    "between segments or periods. Answers come from the published tables; shares have 95 % intervals.",
    epilog='Examples: turret journeys overview; turret journeys from "Refund"; '
    "turret journeys funnel Complaint Refund --within 2h; turret journeys compare plan=team plan=free",
    no_args_is_help=True,
    rich_markup_mode=None,
)

UNTESTED_ENDS = "A high share may be chance: `turret report` tests the ends, and counts prompts instead of sessions."


@journeys.command(
    epilog="Examples: turret journeys overview; turret journeys overview --dimension event_name --segment plan=team; "
    "turret journeys overview --since 2026-03-01 --until 2026-03-31 --json"
)
@query_options()
def overview(query: JourneyQuery, top: Top = 5) -> None:
    """Show where sessions start, go next, turn back, and end.

    Starts are shares of all sessions, and so are bounces that at least 5 sessions have. Next steps are shares of
    all next steps from the topic, and ends are shares of the sessions that visit the topic, of topics that at least
    10 sessions of 5 users visit. Topics of follow-ups are left out of the ends. What is not tested may be chance:
    turret report names what is beyond it.
    """
    from turret_pipeline.journeys import overview as journeys_overview
    from turret_pipeline.journeys.facts import describe_coverage

    visits = query.visits()
    answers = journeys_overview.build_overview(visits, query.min_users, query.published.follow_ups())
    rows = query.add_labels(answers, node_id="node", other_node_id="other_node")
    if query.write_without_table(rows):
        return
    node: Column = (query.node_name, "left", text_cell("node"))
    next_node: list[Column] = [
        ("to", "left", text_cell("other_node")),
        ("median wait", "right", duration_cell("median_seconds")),
    ]
    other_node: list[Column] = [("and", "left", text_cell("other_node"))]
    present = query.published.count_sequences_with_field(query.dimension, query.sessions)
    if coverage := describe_coverage(visits["sequence_id"].n_unique(), present or 0, query.dimension):
        new_console(stderr=False).print_lines("", coverage)
    sequences = query.sequence_name
    sections: dict[str, tuple[str, str, list[Column]]] = {
        journeys_overview.START_ON: ("Starts", f"all {sequences}", []),
        journeys_overview.FOLLOW_UP: ("Most likely next steps", "next steps", next_node),
        journeys_overview.BOUNCE: ("Bounces: away and directly back", f"all {sequences}", other_node),
        journeys_overview.END_ON: ("Ends", f"{sequences} that visit it", []),
    }
    for name, (title, denominator, more) in sections.items():
        columns: list[Column] = [
            ("times", "right", count_cell("count")),
            (f"of {denominator}", "right", count_cell("of")),
            ("share", "right", interval_cell("share")),
            node,
            *more,
        ]
        note = UNTESTED_ENDS if name == journeys_overview.END_ON and query.node_name == "topic" else ""
        found = rows.filter(pl.col("question") == name)
        if found.is_empty():
            note = f"None has enough {sequences}."
        print_table(query.title(title), columns, found, top, note)


@journeys.command("from", epilog='Examples: turret journeys from "Refund"; turret journeys from prompt-11 --csv')
@query_options()
def show_next(query: JourneyQuery, name: Name, top: Top = 12) -> None:
    """Show what comes directly after a topic or event.

    The end of the session counts as one of the next steps.
    """
    from turret_pipeline.journeys.neighbours import following_nodes

    _print_neighbours(query, name, following_nodes, "after", top)


@journeys.command(
    "to", epilog='Examples: turret journeys to "Refund"; turret journeys to prompt-11 --segment plan=team'
)
@query_options()
def show_previous(query: JourneyQuery, name: Name, top: Top = 12) -> None:
    """Show what comes directly before a topic or event.

    The start of the session counts as one of the previous steps.
    """
    from turret_pipeline.journeys.neighbours import preceding_nodes

    _print_neighbours(query, name, preceding_nodes, "before", top)


def _print_neighbours(
    query: JourneyQuery, name: str, find: Callable[[pl.DataFrame, str, int], pl.DataFrame], side: str, top: int
) -> None:
    node = query.published.find_node(name, query.dimension, ("topic", "event"))
    if node.dimension != query.field:
        query = query.with_field(node.dimension)
    rows = query.add_labels(find(query.visits(), node.name, query.min_users), node_id="node")
    if query.write_without_table(rows):
        return
    columns: list[Column] = [
        ("times", "right", count_cell("transition_count")),
        ("of all", "right", interval_cell("share")),
        ("sessions", "right", count_cell("session_count")),
        ("users", "right", count_cell("user_count")),
        ("median wait", "right", duration_cell("median_seconds")),
        (query.node_name, "left", text_cell("node")),
    ]
    times = rows["transition_count"].sum()
    print_table(query.title(f"Directly {side} {node.label}, {times:,} times"), columns, rows, top)


@journeys.command(
    epilog="Examples: turret journeys funnel Complaint Refund; turret journeys funnel prompt_sent answer_copied "
    "--within 2h; turret journeys funnel theme:Billing event:upgrade --any-order --json"
)
@query_options()
def funnel(
    query: JourneyQuery,
    steps: Annotated[
        list[str],
        typer.Argument(metavar="STEP", help="Two or more topics, themes or events: id, label, or unique part of it."),
    ],
    within: Annotated[
        str | None, typer.Option("--within", help="Maximum time for all steps: 90s, 30m, 2h or 1d.")
    ] = None,
    any_order: Annotated[bool, typer.Option("--any-order", help="Accept the steps in any order.")] = False,
) -> None:
    """Count the sessions that do one thing, then the next.

    Other events may lie between the steps. In a dimension of users (user:...) all events of a user are one session.
    """
    from turret_pipeline.journeys.funnel import count_funnel
    from turret_pipeline.reports.durations import parse_duration

    nodes = [query.published.find_node(step, query.dimension) for step in steps]
    if len(nodes) < 2:
        raise TurretError(f"A funnel needs two steps or more: add one to {steps[0]!r}.")
    if any_order and len(set(nodes)) < len(nodes):
        raise TurretError("With --any-order a step can be given only once: remove the second one.")
    sequences = query.sequences()
    seconds = None if within is None else parse_duration(within)
    counts = count_funnel(query.hits(nodes), sequences, len(nodes), seconds, is_any_order=any_order)
    names = pl.DataFrame(
        {
            "step": [node.label for node in nodes],
            "kind": [node.kind for node in nodes],
            "id": [node.name for node in nodes],
        }
    )
    rows = query.suppress_few_users(pl.concat([names, counts], how="horizontal"))
    if query.write_without_table(rows if sequences.height else rows.clear()):
        return
    conditions = f"{' in any order' if any_order else ''}{f' within {within}' if within else ''}"
    scope = f" ({query.scope})" if str(query.scope) else ""
    title = f"Funnel{conditions}, of all {sequences.height:,} {query.sequence_name}{scope}"
    print_table(title, _funnel_columns(query.sequence_name, has_order=not any_order), rows, rows.height)


def _funnel_columns(sequence_name: str, *, has_order: bool) -> list[Column]:
    wait: list[Column] = [("median wait", "right", duration_cell("median_seconds_from_previous"))]
    return [
        ("step", "left", lambda row: f"{row['step_number']}. {row['step']}"),
        (sequence_name, "right", count_cell("session_count")),
        ("of all", "right", share_cell("share_of_all")),
        ("of step 1", "right", interval_cell("share_of_first")),
        ("of previous step", "right", interval_cell("share_of_previous")),
        *(wait if has_order else []),
        ("since step 1", "right", duration_cell("median_seconds_from_first")),
    ]


@journeys.command(epilog="Examples: turret journeys steps; turret journeys steps --depth 8 --segment plan=team")
@query_options()
def steps(
    query: JourneyQuery,
    depth: Annotated[int, typer.Option("--depth", min=1, max=20, help="Number of steps.")] = 6,
    top: Annotated[int, typer.Option("--top", min=1, help="Number of nodes to show; the others are joined.")] = 15,
) -> None:
    """Show where sessions are at each step.

    A step is a run of events on one topic. Sessions that have ended stay in the shares, as (end).
    """
    from turret_pipeline.journeys.matrix import step_matrix
    from turret_pipeline.journeys.steps import journey_steps

    visits = query.visits()
    rows = query.add_labels(step_matrix(journey_steps(visits), depth, top, query.min_users), node_id="node")
    if not query.write_without_table(rows):
        count = visits["sequence_id"].n_unique()
        print_matrix(query.title(f"Share of {count:,} at each step"), query.node_name, rows, depth)


journeys.command(
    epilog="Examples: turret journeys compare plan=team; turret journeys compare plan=team plan=free; "
    "turret journeys compare --period 2026-03-01..2026-03-31; turret journeys compare --period 7d --segment plan=team"
)(compare)
journeys.command(
    epilog="Examples: turret journeys outcomes answer_copied; turret journeys outcomes answer_copied --all --json; "
    'turret journeys outcomes "(struggle)"'
)(outcomes)
journeys.command(
    epilog="Examples: turret journeys struggles; turret journeys struggles --all --segment plan=team; "
    "turret journeys struggles --since 2026-03-01 --csv"
)(struggles)


@journeys.command(
    epilog="Examples: turret journeys export --format gexf --output journeys.gexf; "
    "turret journeys export --format dot --dimension event_name | dot -Tsvg"
)
@query_options(without=("as_json", "as_csv"))
def export(
    query: JourneyQuery,
    file_format: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "graphml",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Output file.  [default: standard output]", show_default=False),
    ] = None,
) -> None:
    """Write the graph for Gephi, networkx or Graphviz.

    graphml and gexf are read by Gephi and networkx, json (node-link) by networkx and D3, dot by Graphviz.
    """
    from turret_pipeline.reports.graph_export import render_graph

    if file_format not in FORMATS:
        raise TurretError(f"Unknown graph format {file_format!r}. Available: {', '.join(FORMATS)}.")
    if output is not None and not output.resolve().parent.is_dir():
        raise TurretError(
            f"The folder {display_path(output.resolve().parent)} does not exist: create it, or choose another --output."
        )
    visits = query.visits()
    if visits.is_empty():
        query.print_no_sessions()
    text, edge_count = render_graph(query.published, query.dimension, visits, file_format)
    if output is None:
        write_text(text)
        return
    with atomic_replace(output, is_export=True) as temp:
        temp.write_text(text)
    message = f"Wrote {display_path(output.resolve())} ({file_format}, {edge_count:,} edges)"
    new_console().print_lines(message)

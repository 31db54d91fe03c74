"""`turret journeys`: questions about how people move, answered from the published file."""

import re
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import polars as pl
import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.journey_query import Asked, Name, Top, question
from turret_pipeline.cli.journey_views import (
    Column,
    chance,
    corrected,
    counted,
    named,
    percent,
    points,
    print_matrix,
    print_table,
    shared,
    timed,
)
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.journeys.graph import FORMATS
from turret_pipeline.stats.shares import LEVEL
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.tables import END, EVENT_NAME, START, USER

journeys = typer.Typer(
    help="How people move between topics, or events: where they start, what comes next, where they leave, and for "
    "whom it is different. Answers come from the published tables; a share says of what, and its 95 % interval.",
    epilog='Examples: turret journeys overview; turret journeys from "Refund"; '
    "turret journeys funnel Complaint Refund --within 2h; turret journeys compare plan=team plan=free",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


@journeys.command(
    epilog="Examples: turret journeys overview; turret journeys overview --dimension event_name --segment plan=team; "
    "turret journeys overview --since 2026-03-01 --until 2026-03-31 --json"
)
@question()
def overview(asked: Asked, top: Top = 5) -> None:
    """Where sessions start, go, turn back, and end."""
    from turret_pipeline.journeys import overview as of

    rows = asked.labelled(of.build_overview(asked.visits(), asked.min_users), node_id="node", other_node_id="other_node")
    if asked.is_answered_as_rows(rows):
        return
    node: Column = (asked.kind, "left", named("node"))
    moves: list[Column] = [("to", "left", named("other_node")), ("after", "right", timed("median_seconds"))]
    sections: dict[str, tuple[str, str, list[Column]]] = {
        of.START_ON: ("What sessions start on", "of all", []),
        of.FOLLOW_UP: ("What directly follows what", "of all next", moves),
        of.BOUNCE: ("Back and forth: away and right back", "of all", [("and", "left", named("other_node"))]),
        of.END_ON: ("Where sessions end", "of all", []),
    }
    for name, (title, share, more) in sections.items():
        columns: list[Column] = [("times", "right", counted("count")), (share, "right", shared("share")), node, *more]
        print_table(asked.title(title), columns, rows.filter(pl.col("question") == name), top)


@journeys.command("from", epilog='Examples: turret journeys from "Refund"; turret journeys from prompt-11 --csv')
@question()
def come_after(asked: Asked, name: Name, top: Top = 12) -> None:
    """What comes right after a topic or event.

    The end of the session is one of the things that come after.
    """
    from turret_pipeline.journeys.neighbours import following_nodes

    _beside(asked, name, following_nodes, "right after", top)


@journeys.command(
    "to", epilog='Examples: turret journeys to "Refund"; turret journeys to prompt-11 --segment plan=team'
)
@question()
def come_before(asked: Asked, name: Name, top: Top = 12) -> None:
    """What comes right before a topic or event.

    The start of the session is one of the things that come before.
    """
    from turret_pipeline.journeys.neighbours import preceding_nodes

    _beside(asked, name, preceding_nodes, "right before", top)


def _beside(
    asked: Asked, name: str, find: Callable[[pl.DataFrame, str, int], pl.DataFrame], where: str, top: int
) -> None:
    node = asked.published.node(name, asked.dimension, ("topic", "event"))
    if node.dimension != asked.dimension.removeprefix(USER):
        asked = asked.about_dimension(node.dimension)
    rows = asked.labelled(find(asked.visits(), node.name, asked.min_users), node_id="node")
    if asked.is_answered_as_rows(rows):
        return
    columns: list[Column] = [
        ("times", "right", counted("transition_count")),
        ("of all", "right", shared("share")),
        ("sessions", "right", counted("session_count")),
        ("users", "right", counted("user_count")),
        ("after", "right", timed("median_seconds")),
        (asked.kind, "left", named("node")),
    ]
    times = rows["transition_count"].sum()
    print_table(asked.title(f"What comes {where} {node.label}, {times:,} times"), columns, rows, top)


@journeys.command(
    epilog="Examples: turret journeys funnel Complaint Refund; turret journeys funnel prompt_sent answer_copied "
    "--within 2h; turret journeys funnel theme:Billing event:upgrade --any-order --json"
)
@question()
def funnel(
    asked: Asked,
    steps: Annotated[
        list[str], typer.Argument(help="Two or more topics, themes or event names, by id, name or a unique part of it.")
    ],
    within: Annotated[str | None, typer.Option("--within", help="Time that all may take: 90s, 30m, 2h, 1d.")] = None,
    any_order: Annotated[bool, typer.Option("--any-order", help="The steps in whatever order.")] = False,
) -> None:
    """How many sessions do one thing, then the next.

    Other events may lie between the steps. In a dimension of users (user:...) all events of a user are one session.
    """
    from turret_pipeline.journeys.funnel import count_funnel

    nodes = [asked.published.node(step, asked.dimension) for step in steps]
    if len(nodes) < 2:
        raise TurretError(f"A funnel has two steps or more; there is only {steps[0]!r}.")
    if any_order and len(set(nodes)) < len(nodes):
        raise TurretError("In any order a step can be given only once: leave the second one out.")
    sessions = asked.sequences()
    found = count_funnel(asked.hits(nodes), sessions, len(nodes), _seconds(within), is_any_order=any_order)
    names = pl.DataFrame(
        {
            "step": [node.label for node in nodes],
            "kind": [node.kind for node in nodes],
            "id": [node.name for node in nodes],
        }
    )
    rows = asked.without_few(pl.concat([names, found], how="horizontal"))
    if asked.is_answered_as_rows(rows if sessions.height else rows.clear()):
        return
    order = " in any order" if any_order else ""
    columns: list[Column] = [
        ("step", "left", lambda row: f"{row['step_number']}. {row['step']}"),
        (asked.whose, "right", counted("session_count")),
        ("of all", "right", percent("share_of_all")),
        ("of step 1", "right", shared("share_of_first")),
        ("of the step before", "right", shared("share_of_previous")),
        *([] if any_order else [("median wait", "right", timed("median_seconds_from_previous"))]),
        ("since step 1", "right", timed("median_seconds_from_first")),
    ]
    limit = f" within {within}" if within else ""
    title = (
        f"Funnel{order}{limit}, of all {sessions.height:,} {asked.whose}{f' ({asked.about})' if asked.about else ''}"
    )
    print_table(title, columns, rows, rows.height)


def _seconds(text: str | None) -> float | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smhd])", text.strip())
    if not match or not float(match[1]):
        raise TurretError(f"--within {text!r} is no time: write 90s, 30m, 2h or 1d.")
    return float(match[1]) * _UNITS[match[2]]


@journeys.command(epilog="Examples: turret journeys steps; turret journeys steps --depth 8 --segment plan=team")
@question()
def steps(
    asked: Asked,
    depth: Annotated[int, typer.Option("--depth", min=1, max=20, help="Steps.")] = 6,
    top: Annotated[int, typer.Option("--top", min=1, help="Nodes that keep their name; the rest is one.")] = 15,
) -> None:
    """Where sessions are at their first, second ... step.

    A step is a run of events on one topic. Sessions that have ended stay in the shares, as (end).
    """
    from turret_pipeline.journeys.matrix import step_matrix
    from turret_pipeline.journeys.steps import journey_steps

    visits = asked.visits()
    rows = asked.labelled(step_matrix(journey_steps(visits), depth, top, asked.min_users), node_id="node")
    if not asked.is_answered_as_rows(rows):
        count = visits["sequence_id"].n_unique()
        print_matrix(asked.title(f"Share of {count:,} at each step"), asked.kind, rows, depth)


@journeys.command(
    epilog="Examples: turret journeys compare plan=team; turret journeys compare plan=team plan=free; "
    "turret journeys compare --period 2026-03-01..2026-03-31; turret journeys compare --period 7d --segment plan=team"
)
@question()
def compare(
    asked: Asked,
    segments: Annotated[
        list[str] | None,
        typer.Argument(help="FIELD=VALUE against all other sessions that have the field, or against a second one."),
    ] = None,
    period: Annotated[
        list[str] | None,
        typer.Option(
            "--period",
            help="FIRST..LAST day, or the last days of the data such as 7d, against the same time before it; "
            "given twice: against the second one.",
        ),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Differences that may be chance too.")] = False,
    top: Top = 20,
) -> None:
    """What differs between two segments or periods.

    Compared are what sessions visit, and what follows what. Told are differences that survive correction for
    chance (q-values of at most 0.05), the largest first.
    """
    from turret_pipeline.journeys.comparison import VISIT, compare_sessions

    if bool(segments) == bool(period):
        raise TurretError("Compare segments (plan=team) or a --period (7d): give one of the two.")
    if asked.dimension.startswith(USER):
        raise TurretError(f"Sessions are compared: take --dimension {asked.dimension.removeprefix(USER)}.")
    one, other = asked.segments(segments) if segments else asked.periods(period or [])
    visits = asked.published.visits(asked.dimension, pl.concat([one.sessions, other.sessions]))
    found = compare_sessions(visits, one.sessions, asked.min_users)
    rows = asked.labelled(told(found, every=every), from_node_id="from_node", to_node_id="to_node")
    there = visits.select(pl.col("sequence_id").cast(pl.String).alias("session_id")).unique()
    counts = [there.join(side.sessions, on="session_id", how="semi").height for side in (one, other)]
    title = f"{one.name} ({counts[0]:,} sessions) against {other.name} ({counts[1]:,})"
    if asked.is_told_without_rows(title, rows, compared=found.height):
        return
    verbs = {VISIT: "visit", START: "start on", END: "end after"}
    columns: list[Column] = [
        ("difference", "right", points),
        ("here", "right", percent("share")),
        ("there", "right", percent("other_share")),
        ("q", "right", chance),
        ("what", "left", lambda row: _in_words(row, verbs)),
    ]
    print_table(asked.title(title), columns, rows, top, corrected(found.height))


def told(found: pl.DataFrame, *, every: bool) -> pl.DataFrame:
    """The differences that survive correction; then, where ``every`` one is asked for, those that may be chance."""
    is_chance = pl.col("q_value") > LEVEL
    return found.sort(is_chance, maintain_order=True) if every else found.filter(~is_chance)


def _in_words(row: Mapping[str, Any], verbs: Mapping[str, str]) -> str:
    """What a row of a comparison compares."""
    if row["measure"] in verbs:
        return f"{verbs[row['measure']]} {row['to_node']}"
    source, target = row["from_node_id"], row["to_node_id"]
    if source in verbs:
        return f"{verbs[source]} {row['to_node']}"
    if target in verbs:
        return f"{verbs[target]} {row['from_node']}"
    return f"{row['from_node']} > {row['to_node']}"


@journeys.command(
    epilog="Examples: turret journeys outcomes answer_copied; turret journeys outcomes answer_copied --all --json"
)
@question()
def outcomes(
    asked: Asked,
    event_name: Annotated[str, typer.Argument(help="The event that topics may lead to.")],
    every: Annotated[bool, typer.Option("--all", help="Differences that may be chance too.")] = False,
    top: Top = 20,
) -> None:
    """Which topics lead to an event more, or less.

    It is compared how often the event comes later in a session that visits the topic, or another one.
    """
    from turret_pipeline.journeys.outcomes import topic_outcomes

    event = asked.published.node(event_name, EVENT_NAME, ("event",))
    if asked.kind == "event" or asked.dimension.startswith(USER):
        raise TurretError(f"Outcomes are of topics: --dimension {asked.dimension!r} is no text field.")
    happened = asked.about_dimension(EVENT_NAME).visits().filter(pl.col("node_id") == event.name)
    found = topic_outcomes(
        asked.visits(), happened.rename({"sequence_id": "session_id", "node_id": "event_name"}), asked.min_users
    )
    found = found.sort(pl.col("difference").abs(), "topic_id", descending=[True, False]).drop("field")
    rows = asked.labelled(told(found, every=every), topic_id="topic")
    title = f"What {event.name} follows"
    if asked.is_told_without_rows(title, rows, compared=found.height):
        return
    columns: list[Column] = [
        ("difference", "right", points),
        ("of the topic", "right", percent("outcome_share")),
        ("of the others", "right", percent("baseline_share")),
        ("sessions", "right", counted("session_count")),
        ("q", "right", chance),
        ("topic", "left", named("topic")),
    ]
    print_table(asked.title(title), columns, rows, top, corrected(found.height))


@journeys.command(
    epilog="Examples: turret journeys export --format gexf --output journeys.gexf; "
    "turret journeys export --format dot --dimension event_name | dot -Tsvg"
)
@question(without=("as_json", "as_csv"))
def export(
    asked: Asked,
    form: Annotated[str, typer.Option("--format", help=f"One of: {', '.join(FORMATS)}.")] = "graphml",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file; default: standard output.", show_default=False)
    ] = None,
) -> None:
    """Write the graph for Gephi, networkx or Graphviz.

    graphml and gexf are read by Gephi and networkx, json (node-link) by networkx and D3, dot by Graphviz.
    """
    from turret_pipeline.journeys.edges import journey_edges
    from turret_pipeline.journeys.graph import journey_graph, format_graph
    from turret_pipeline.journeys.nodes import journey_nodes

    if form not in FORMATS:
        raise TurretError(f"There is no format {form!r}; a graph is written as one of: {', '.join(FORMATS)}.")
    if output is not None and not output.resolve().parent.is_dir():
        raise TurretError(
            f"There is no folder {display_path(output.resolve().parent)}: make it, or choose another --output."
        )
    visits = asked.visits()
    if visits.is_empty():
        asked.say_nothing_fits()
    edges = journey_edges(visits)
    shown = edges if asked.min_users <= 1 else journey_edges(visits, asked.min_users)
    labels = asked.published.labels(asked.dimension)
    names = pl.DataFrame(
        {"node_id": list(labels), "node_label": list(labels.values())}, {"node_id": pl.String, "node_label": pl.String}
    ).select(pl.lit(asked.dimension).alias("dimension"), pl.all())
    nodes = journey_nodes(visits, edges, names, asked.min_users)
    text = format_graph(journey_graph(nodes, shown), form)
    if output is None:
        sys.stdout.write(text)
        return
    with atomic_replace(output) as aside:
        aside.write_text(text)
    new_console().print(f"Written: {display_path(output.resolve())} ({form}, {shown.height:,} edges)", soft_wrap=True)

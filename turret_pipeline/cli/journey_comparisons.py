"""`turret journeys compare`, `outcomes` and `struggles`: differences between groups of sessions, topics and moves."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import polars as pl
import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.journey_options import Top, query_options
from turret_pipeline.cli.journey_query import JourneyQuery
from turret_pipeline.cli.journey_views import (
    Column,
    comparison_note,
    count_cell,
    format_difference,
    format_q_value,
    print_table,
    share_cell,
    text_cell,
)
from turret_pipeline.errors import TurretError
from turret_pipeline.tables import END, EVENT_NAME, START, STRUGGLE_OUTCOME

if TYPE_CHECKING:
    from turret_pipeline.reports.comparison_sides import Side

ShowAll = Annotated[bool, typer.Option("--all", help="Include differences that may be due to chance.")]


@query_options()
def compare(
    query: JourneyQuery,
    segments: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="SEGMENT", help="FIELD=VALUE, compared with all other values of the field or with a second segment."
        ),
    ] = None,
    period: Annotated[
        list[str] | None,
        typer.Option(
            "--period",
            help="FIRST..LAST day, or the last days of the data such as 7d, compared with the same time before it; "
            "given twice: with the second period.",
        ),
    ] = None,
    show_all: ShowAll = False,
    top: Top = 20,
) -> None:
    """Compare two segments or periods.

    Compares the topics that sessions visit, and their next steps. Shows the differences that survive correction for
    chance (q-values of at most 0.05), the largest first.
    """
    from turret_pipeline.journeys.comparison import compare_sessions

    one, other = _select_sides(query, segments or [], period or [])
    visits = query.published.visits(query.dimension, pl.concat([one.sessions, other.sessions]))
    differences = compare_sessions(visits, one.sessions, query.min_users)
    shown = select_differences(differences, show_all=show_all)
    rows = query.add_labels(shown, from_node_id="from_node", to_node_id="to_node")
    visited = visits.select(pl.col("sequence_id").cast(pl.String).alias("session_id")).unique()
    counts = [visited.join(side.sessions, on="session_id", how="semi").height for side in (one, other)]
    title = f"{one.name} ({counts[0]:,} sessions) compared with {other.name} ({counts[1]:,})"
    if query.write_comparison_without_table(title, rows, compared=differences.height):
        return
    columns: list[Column] = [
        ("difference", "right", format_difference),
        ("share", "right", share_cell("share")),
        ("other share", "right", share_cell("other_share")),
        ("q", "right", format_q_value),
        ("what", "left", _describe_difference),
    ]
    print_table(query.title(title), columns, rows, top, comparison_note(differences.height))


def _select_sides(query: JourneyQuery, segments: list[str], periods: list[str]) -> tuple["Side", "Side"]:
    """The two groups of sessions to compare. Raises TurretError unless either segments or periods are given."""
    from turret_pipeline.reports.comparison_sides import missing_data_warning, select_periods, select_segments

    if bool(segments) == bool(periods):
        raise TurretError("Compare either segments (plan=team) or a --period (7d).")
    if query.is_of_users:
        raise TurretError(f"Only sessions can be compared: use --dimension {query.field}.")
    if segments:
        return select_segments(query.published, query.scope, segments)
    sides = select_periods(query.published, query.scope, periods)
    if warning := missing_data_warning(query.published, periods):
        new_console().print_lines(f"Warning: {warning}", style="yellow")
    return sides


def select_differences(differences: pl.DataFrame, *, show_all: bool) -> pl.DataFrame:
    """The significant differences; with ``show_all`` followed by those that may be due to chance."""
    from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD

    may_be_chance = pl.col("q_value") > Q_VALUE_THRESHOLD
    return differences.sort(may_be_chance, maintain_order=True) if show_all else differences.filter(~may_be_chance)


def _describe_difference(row: Mapping[str, Any]) -> str:
    from turret_pipeline.journeys.comparison import VISIT

    verbs = {VISIT: "visit", START: "start on", END: "end after"}
    if row["measure"] in verbs:
        return f"{verbs[row['measure']]} {row['to_node']}"
    source, target = row["from_node_id"], row["to_node_id"]
    if source in verbs:
        return f"{verbs[source]} {row['to_node']}"
    if target in verbs:
        return f"{verbs[target]} {row['from_node']}"
    return f"{row['from_node']} > {row['to_node']}"


@query_options()
def outcomes(
    query: JourneyQuery,
    event_name: Annotated[
        str,
        typer.Argument(
            metavar="EVENT",
            help=f'The event that topics may lead to, or "{STRUGGLE_OUTCOME}": an exchange that seems to go wrong.',
        ),
    ],
    show_all: ShowAll = False,
    top: Top = 20,
) -> None:
    """Find topics that lead to an event more often, or less.

    Compares how often the event comes later in a session after its first visit to the topic, and after first visits to
    other topics at the same place in their sessions.
    """
    from turret_pipeline.journeys.outcomes import topic_outcomes

    if query.node_name == "event" or query.is_of_users:
        raise TurretError(f"Invalid dimension {query.dimension!r}: outcomes need a text field.")
    name, events = _find_outcomes(query, event_name)
    found = topic_outcomes(query.visits(), events, query.min_users)
    found = found.sort(pl.col("difference").abs(), "topic_id", descending=[True, False]).drop("field")
    rows = query.add_labels(select_differences(found, show_all=show_all), topic_id="topic")
    title = f"{name} after each topic"
    if query.write_comparison_without_table(title, rows, compared=found.height):
        return
    columns: list[Column] = [
        ("difference", "right", format_difference),
        ("after the topic", "right", share_cell("outcome_share")),
        ("after others there", "right", share_cell("baseline_share")),
        ("sessions", "right", count_cell("session_count")),
        ("q", "right", format_q_value),
        ("topic", "left", text_cell("topic")),
    ]
    print_table(query.title(title), columns, rows, top, comparison_note(found.height))


def _find_outcomes(query: JourneyQuery, event_name: str) -> tuple[str, pl.DataFrame]:
    """The name of an outcome in a title, and its events. Raises TurretError if no event has the name."""
    from turret_pipeline.journeys.facts import name_outcome
    from turret_pipeline.journeys.outcomes import list_struggle_outcomes

    if event_name.strip() == STRUGGLE_OUTCOME:
        return name_outcome(STRUGGLE_OUTCOME), list_struggle_outcomes(query.published.struggles(query.sessions))
    event = query.published.find_node(event_name, EVENT_NAME, ("event",))
    events = query.with_field(EVENT_NAME).visits().filter(pl.col("node_id") == event.name)
    return event.name, events.rename({"sequence_id": "session_id", "node_id": "event_name"})


@query_options()
def struggles(query: JourneyQuery, show_all: ShowAll = False, top: Top = 20) -> None:
    """Find moves after which exchanges seem to go wrong more often, or less.

    Compares each way to a topic with all other ways to it: from another topic, from the start of the session, or by
    staying on it. An exchange seems to go wrong if it has a signal of turret signals, apart from repeated_later.
    """
    from turret_pipeline.journeys.struggles import journey_struggles

    if query.node_name == "event":
        raise TurretError(f"Invalid dimension {query.dimension!r}: struggles need a text field.")
    found = journey_struggles(query.visits(), query.published.struggles(query.sessions), query.min_users)
    largest_first = [True, False, False]
    found = found.sort(pl.col("difference").abs(), "to_node_id", "from_node_id", descending=largest_first)
    rows = select_differences(found.drop("dimension"), show_all=show_all)
    rows = query.add_labels(rows, from_node_id="from_node", to_node_id="to_node")
    title = "Moves after which exchanges seem to go wrong"
    if query.write_comparison_without_table(title, rows, compared=found.height):
        return
    columns: list[Column] = [
        ("difference", "right", format_difference),
        ("wrong", "right", share_cell("struggle_share")),
        ("by other ways", "right", share_cell("other_struggle_share")),
        ("moves", "right", count_cell("move_count")),
        ("q", "right", format_q_value),
        ("to", "left", text_cell("to_node")),
        ("from", "left", text_cell("from_node")),
    ]
    print_table(query.title(title), columns, rows, top, comparison_note(found.height))

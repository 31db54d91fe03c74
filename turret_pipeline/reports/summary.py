"""Summary of the published file for a terminal: counts, the answers of the report, journeys and quality."""

import io
from collections.abc import Iterable
from typing import NamedTuple

import duckdb
import polars as pl
from rich.table import Table as RichTable

from turret_pipeline.journeys.dimensions import list_follow_ups, main_dimension
from turret_pipeline.journeys.facts import FACT_TABLES, duration, journey_facts, percent
from turret_pipeline.reports.field_presence import count_sequences_with_field
from turret_pipeline.reports.languages import describe_languages
from turret_pipeline.reports.line_console import LineConsole
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report.lines import list_sentences
from turret_pipeline.reports.report.model import TALK, Answer
from turret_pipeline.reports.report.words import plural
from turret_pipeline.reports.summary_notes import (
    REPAIRS,
    list_applied_edits,
    list_rejections,
    note_assumed_times,
    note_forgotten,
    note_textless_exchanges,
    note_users_and_sessions,
)
from turret_pipeline.topics.lifecycle.lineage import describe_changes

MAX_TEXT_FIELDS, MAX_TOPICS, MAX_EDGES = 10, 12, 5

LOG_WIDTH = 120

MAX_WIDTHS = {"topic": 40, "example": 56, "from": 40, "to": 40}
"""Maximum characters of a column, for a table that fits 120 characters."""

BY_STUDENT = "have a vector by a student of the embedding model, which costs less (setting embedding_method)."
NO_EVENT = "No event was accepted. `turret formats` lists the supported formats."
NO_EVENT_AFTER_REJECTIONS = (
    "No event was accepted. Change what the reasons name, then read these rows again with `turret replay` and publish "
    "them with `turret run`: a run alone does not read a file twice."
)

COUNTS = """
select
    (select count(*) from marts.events),
    (select count(*) from marts.sessions),
    (select count(distinct user_id) from marts.events),
    (select min(event_at) from marts.events),
    (select coalesce(max(event_at) filter (not is_time_ahead), max(event_at)) from marts.events),
    (select coalesce(sum(duplicate_count), 0) from marts.source_files),
    (select coalesce(sum(rejected_count), 0) from marts.source_files),
    (select coalesce(sum(repaired_count), 0) from marts.source_files)
"""


class Line(NamedTuple):
    """A line of text with its style."""

    text: str
    style: str = ""


Section = list[Line | RichTable]
EMPTY = Line("")


def print_summary(console: LineConsole, published: PublishedTables, answers: Iterable[Answer]) -> None:
    """Print the counts and notes, the answers of a report, the journeys, and the quality of the published file."""
    with published.open() as connection:
        for part in _summarize(connection, answers):
            if isinstance(part, Line):
                console.print_lines(part.text, style=part.style)
            else:
                console.print(part)


def render_summary(published: PublishedTables, answers: Iterable[Answer]) -> str:
    """The summary as plain text, for a log."""
    text = io.StringIO()
    console = LineConsole(file=text, width=LOG_WIDTH, highlight=False, markup=False, emoji=False)
    print_summary(console, published, answers)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def _summarize(connection: duckdb.DuckDBPyConnection, answers: Iterable[Answer]) -> Section:
    section = summarize_counts(connection)
    if edits := list_applied_edits(connection):
        section += [EMPTY, *map(Line, edits)]
    for answer in answers:
        section += [EMPTY, Line(answer.title, "bold"), *(Line(f"- {text}") for text in list_sentences(answer))]
        section += [Line(note, "dim") for note in answer.notes]
        if answer.key == TALK:
            section += summarize_text_fields(connection)
    nodes = connection.sql("select dimension, event_count from marts.journey_nodes").pl()
    if nodes.height:
        roles = connection.sql("select role, field from marts.exchange_roles").pl()
        section += _journeys(connection, main_dimension(nodes, roles))
    return [*section, EMPTY, _quality(connection)]


def summarize_counts(connection: duckdb.DuckDBPyConnection) -> Section:
    """Counts of events and rows, and notes on rows and events that are not as they should be."""
    events, sessions, users, first, last, duplicates, rejected, repaired = connection.execute(COUNTS).fetchall()[0]
    head = ", ".join((plural(events, "event"), plural(sessions, "session"), plural(users, "user")))
    period = f", {first:%Y-%m-%d} to {last:%Y-%m-%d}" if events else ""
    rows = f"rejected {plural(rejected, 'row')}, ignored {plural(duplicates, 'duplicate row')}"
    section: Section = [EMPTY, Line(f"{head}{period} ({rows})", "bold")]
    notes = list_rejections(connection) if rejected else []
    if repaired:
        notes.append(f"Repaired {plural(repaired, 'row')}: {REPAIRS}.")
    about_events = (note_forgotten, note_textless_exchanges, note_assumed_times, note_users_and_sessions)
    notes += [note for describe in about_events if (note := describe(connection))]
    section += [Line(note, "yellow") for note in notes]
    if not events:
        section.append(Line(NO_EVENT_AFTER_REJECTIONS if rejected else NO_EVENT, "red"))
    return section


def summarize_text_fields(connection: duckdb.DuckDBPyConnection) -> Section:
    """The topics of the text fields: those of prompts first, then by number of events."""
    fields = connection.sql(
        "select field, field in (select field from marts.exchange_roles where role = 'prompt') as is_prompt "
        "from marts.event_topics group by field order by is_prompt desc, count(*) desc, field"
    ).pl()["field"]
    section = [part for field in fields.head(MAX_TEXT_FIELDS) for part in _topics(connection, field)]
    if len(fields) > MAX_TEXT_FIELDS:
        count = f"{len(fields) - MAX_TEXT_FIELDS:,}"
        section += [EMPTY, Line(f"Further text fields: {count} (marts.topic_runs)", "yellow")]
    return section


def _topics(connection: duckdb.DuckDBPyConnection, field: str) -> Section:
    topics = connection.execute(
        "select label || if(role = 'continuation', ' (follow-ups)', ''), theme_label, event_count, event_share, "
        "exchange_count, user_count, example_texts from marts.topics "
        "where field = ? and status = 'active' order by event_count desc, topic_id",
        [field],
    ).fetchall()
    last = "select * from marts.topic_runs where field = ? order by run_number desc limit 1"
    run = connection.sql(last, params=[field]).pl().row(0, named=True)
    if not topics:
        note = run["note"] or "All of them have too few users to be shown."
        return [EMPTY, Line(f"No topics in {field}. {note}", "yellow")]
    unassigned_share, follow_up_share = connection.execute(
        "select count(*) filter (topic_id is null and continues_topic_id is null) / count(*), "
        "count(continues_topic_id) / count(*) from marts.event_topics where field = ?",
        [field],
    ).fetchall()[0]
    themes = plural(len({theme for _, theme, *_ in topics}), "theme")
    follow_ups = f", {follow_up_share:.1%} are follow-ups of an earlier topic" if follow_up_share else ""
    title = (
        f"Topics of {field}: {len(topics)} in {themes}; {unassigned_share:.1%} of the events have no topic{follow_ups}"
    )
    numbers = ("events", "share", "with follow-ups", "users")
    table = _table(*((name, "right") for name in numbers), ("topic", "left"), ("example", "left"))
    for label, _, events, event_share, exchanges, users, examples in topics[:MAX_TOPICS]:
        followed = f"{exchanges:,}" if exchanges else ""
        counts = (f"{events:,}", f"{event_share:.1%}", followed, f"{users:,}")
        table.add_row(*counts, label, examples[0] if examples else "")
    if len(topics) > MAX_TOPICS:
        rest = topics[MAX_TOPICS:]
        table.add_row(
            f"{sum(topic[2] for topic in rest):,}",
            f"{sum(topic[3] for topic in rest):.1%}",
            "",
            "",
            f"{len(rest)} more",
        )
    notes = [Line(f"Note: {run['note']}", "yellow")] if run["note"] else []
    languages = describe_languages(connection, field, run["embedding_models"])
    spoken = [Line(languages, "dim")] if languages else []
    if run["student_share"]:
        spoken.append(Line(f"{run['student_share']:.0%} of the texts {BY_STUDENT}", "dim"))
    return [EMPTY, Line(title, "bold"), table, *notes, *spoken, Line(describe_changes(run), "dim")]


def _journeys(connection: duckdb.DuckDBPyConnection, dimension: str) -> Section:
    """Facts about the journeys in a dimension, with a table of transitions."""
    tables = {name: _rows_of(connection, name, dimension) for name in FACT_TABLES}
    present = count_sequences_with_field(connection, dimension)
    follow_ups = list_follow_ups(connection.sql("select topic_id, role from marts.topics").pl())
    facts = journey_facts(tables, dimension, present, follow_ups) or ["Too few sessions for any conclusion."]
    lines = [EMPTY, Line(f"Journeys of {dimension}", "bold"), *(Line(f"- {fact}") for fact in facts)]
    return [*lines, *_transitions(connection, dimension)]


def _rows_of(connection: duckdb.DuckDBPyConnection, table: str, dimension: str) -> pl.DataFrame:
    name = "field" if table == "topic_outcomes" else "dimension"
    rows: pl.DataFrame = connection.sql(f"select * from marts.{table} where {name} = ?", params=[dimension]).pl()
    return rows


def _transitions(connection: duckdb.DuckDBPyConnection, dimension: str) -> Section:
    edges = connection.execute(
        """
        select a.node_label, b.node_label, transition_count, probability, median_seconds
        from marts.journey_edges as e
        join marts.journey_nodes as a on a.dimension = e.dimension and a.node_id = from_node_id
        join marts.journey_nodes as b on b.dimension = e.dimension and b.node_id = to_node_id
        where e.dimension = ? and from_node_id != to_node_id
        order by transition_count desc, from_node_id, to_node_id limit ?
        """,
        [dimension, MAX_EDGES],
    ).fetchall()
    if not edges:
        return [Line("- No session moves from one node to another.")]
    table = _table(
        ("times", "right"),
        ("of next steps", "right"),
        ("median wait", "right"),
        ("from", "left"),
        ("to", "left"),
    )
    for source, target, count, probability, seconds in edges:
        table.add_row(f"{count:,}", percent(probability), "" if seconds is None else duration(seconds), source, target)
    return [EMPTY, Line("Most frequent next steps", "bold"), table]


def _quality(connection: duckdb.DuckDBPyConnection) -> Line:
    checks = connection.sql("select table_name, check_name, is_passed from marts.quality_checks").pl()
    failed = checks.filter(~pl.col("is_passed"))
    if failed.is_empty():
        return Line(f"Quality: all {plural(checks.height, 'check')} of the tables passed.", "green")
    names = ", ".join(f"{name} of {table}" for table, name, _ in failed.iter_rows())
    return Line(
        f"Quality: {checks.height - failed.height} of {plural(checks.height, 'check')} passed; failed: {names}.",
        "yellow",
    )


def _table(*columns: tuple[str, str]) -> RichTable:
    table = RichTable(box=None, pad_edge=False)
    for name, justify in columns:
        is_number = justify == "right"
        table.add_column(
            name,
            justify="right" if is_number else "left",
            min_width=len(name) if is_number else None,
            max_width=MAX_WIDTHS.get(name),
            style="dim" if name == "example" else "",
            overflow="ellipsis",
            no_wrap=True,
        )
    return table

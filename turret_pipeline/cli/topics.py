"""`turret topics`: show the published topics, and edit them.

Edits are stored in a file in the data folder and take effect with the next run.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import polars as pl
import typer

from turret_pipeline.cli.console import new_console, print_pending, write_json
from turret_pipeline.cli.options import DataDirOption
from turret_pipeline.cli.run import run_and_report
from turret_pipeline.cli.topic_views import conversation_lines, figure_table, run_lines, topic_lines, topic_table
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.reports.line_console import LineConsole
from turret_pipeline.reports.scope import Scope, parse_scope
from turret_pipeline.topics.edits import ROLES, Edit

if TYPE_CHECKING:
    from turret_pipeline.reports.topic_editor import TopicEditor

topics = typer.Typer(
    help="Show topics and edit them: labels, merges, splits, locks, roles. "
    "Edits take effect with the next run and hold in all later runs.",
    epilog='Examples: turret topics list; turret topics rename prompt-3 "Refund requests"; '
    "turret topics merge prompt-7 prompt-3; turret topics undo",
    no_args_is_help=True,
    rich_markup_mode=None,
)

MAX_FIELDS = 20
"""Number of text fields that a list without --field shows."""

SIGNALS_OF_TOPIC = """
select signal, exchange_count, signal_count, signal_share, share_low, share_high, base_share, difference,
    difference_low, difference_high, q_value
from marts.topic_signals where topic_id = ? and week_start_date is null and segment_field is null
"""

Name = Annotated[
    str,
    typer.Argument(metavar="TOPIC", help="Topic id (such as prompt-3), label, or unique part of the label."),
]


def open_editor(data_dir: Path | None) -> "TopicEditor":
    """The editor of the published topics of a data folder."""
    from turret_pipeline.reports.published_tables import PublishedTables
    from turret_pipeline.reports.topic_editor import TopicEditor

    return TopicEditor(PublishedTables.of_settings(load_settings(data_dir=data_dir)))


@topics.command(
    "list",
    epilog="Examples: turret topics list; turret topics list --field feedback --json; "
    "turret topics list --since 2026-09-22 --until 2026-09-28 --segment plan=free",
)
def list_topics(
    field: Annotated[str | None, typer.Option("--field", help="Only topics of this text field.")] = None,
    include_retired: Annotated[bool, typer.Option("--all", help="Include retired topics.")] = False,
    since: Annotated[str | None, typer.Option("--since", help="Count from this day on, such as 2026-03-01.")] = None,
    until: Annotated[str | None, typer.Option("--until", help="Count up to this day (UTC).")] = None,
    segment: Annotated[
        list[str] | None, typer.Option("--segment", help="Count in sessions with this value, such as plan=team.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, one row per topic.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """List the topics, the ones with most events first.

    With --since, --until or --segment, the list has exchanges (events in a field without prompts) with the share of
    each topic; with both days, also the change from the same time before. A change with a q-value of at most 0.05 is
    more than chance.

    The output starts with the result of each field's last run and ends with the edits that wait for the next run.
    Cohesion is the mean cosine between two texts of a topic; separation is 1 minus the cosine to its nearest topic.
    """
    editor = open_editor(data_dir)
    if since or until or segment:
        _print_figures(editor, field, parse_scope(since, until, segment or []), as_json=as_json)
        return
    frame = editor.query(
        "select * from marts.topics where status = 'active' or ? order by field, event_count desc, topic_id",
        include_retired,
    )
    runs = editor.query("select field, max(text_count) as n from marts.topic_runs group by field order by field")
    fields = runs["field"].to_list()
    if field not in {None, *fields}:
        raise TurretError(f"Unknown text field {field!r}. Available: {list_names(fields)}.")
    frame = frame if field is None else frame.filter(pl.col("field") == field)
    if as_json:
        write_json(frame.write_json())
        return
    console, pending = new_console(stderr=False), editor.pending_edits()
    largest = runs.sort("n", descending=True, maintain_order=True)["field"].head(MAX_FIELDS).sort().to_list()
    _print_topics(console, editor, largest if field is None else [field], frame)
    if field is None and len(fields) > MAX_FIELDS:
        console.print_lines(f"Further text fields, with fewer texts: {len(fields) - MAX_FIELDS:,} (option --field)", "")
    if pending:
        console.print_lines("Waiting for the next run:", *(f"  {line}" for line in pending))


def _print_figures(editor: "TopicEditor", field: str | None, scope: Scope, *, as_json: bool) -> None:
    """Print the figures of the topics of a field in a scope."""
    from turret_pipeline.reports.topic_figures import choose_topic_field, count_topics, suppress_few_users

    chosen = choose_topic_field(editor.published, field)
    if chosen is None:
        raise TurretError("No text field has topics: turret topics list says why.")
    before = scope.previous()
    rows = suppress_few_users(count_topics(editor.published, chosen, scope, before), editor.published.min_users)
    if as_json:
        write_json(rows.write_json())
        return
    console = new_console(stderr=False)
    period = f" The change is from {before.since:%Y-%m-%d} to {scope.since:%Y-%m-%d}, exclusive." if before else ""
    console.print_lines(f"Topics of {chosen.name} by {chosen.unit}s: {scope}.{period}")
    console.print(figure_table(rows, chosen.unit))


def _print_topics(console: LineConsole, editor: "TopicEditor", fields: Sequence[str], frame: pl.DataFrame) -> None:
    """Print the last run and the topics of each of these fields; ``frame`` has rows of ``topics``."""
    from turret_pipeline.topics.lifecycle.lineage import describe_pending_settings

    options = load_settings(data_dir=editor.data.root).topic_options
    for name in fields:
        last = editor.query("select * from marts.topic_runs where field = ? order by run_number desc limit 1", name)
        row = last.row(0, named=True)
        head, changes = run_lines(row)
        console.print(head, style="bold")
        console.print(changes, style="dim")
        if sentence := describe_pending_settings(row, options):
            console.print_lines(sentence, style="yellow")
        console.print(topic_table(frame.filter(pl.col("field") == name), console.width), "")


@topics.command(epilog='Examples: turret topics show prompt-3; turret topics show "refund requests"')
def show(
    name: Name,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Show one topic: texts, keywords, signals and history.

    Signals say how many of the exchanges about the topic, with follow-ups, went wrong: see turret signals.
    """
    from turret_pipeline.reports.topic_history import read_lineage

    editor = open_editor(data_dir)
    topic = editor.find_topic(name)
    topic_id = topic["topic_id"]
    lineage = read_lineage(editor.published, topic_id)
    signals = editor.query(SIGNALS_OF_TOPIC, topic_id)
    if as_json:
        tables = {"lineage": lineage.to_dicts(), "signals": signals.to_dicts()}
        write_json(json.dumps({**topic, **tables}, default=str, ensure_ascii=False))
        return
    nearest = topic["nearest_topic_id"] and editor.find_topic(topic["nearest_topic_id"])
    new_console(stderr=False).print_lines(*topic_lines(topic, nearest, lineage, signals))


@topics.command(epilog="Examples: turret topics conversations prompt-3; turret topics conversations prompt-3 --worst")
def conversations(
    name: Name,
    count: Annotated[int, typer.Option("--count", min=1, help="Maximum number of conversations.")] = 5,
    is_worst: Annotated[bool, typer.Option("--worst", help="Those with the lowest rating instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, with whole texts.")] = False,
    data_dir: DataDirOption = None,
) -> None:
    """Show the conversations that show a topic best.

    Each is of another user. Most of the exchanges are about the topic, with follow-ups, and their texts are nearest to
    its centroid. With --worst, those in which an exchange about the topic has the lowest rating.
    """
    from turret_pipeline.reports.conversations import find_conversations, has_prompts

    editor = open_editor(data_dir)
    topic, min_users = editor.find_topic(name), editor.published.min_users
    if topic["label_source"] == "privacy" or (min_users > 1 and topic["user_count"] < min_users):
        raise TurretError(
            f"Topic {topic['topic_id']} has no conversations that may be shown: it has too few users, or combines "
            "topics of too few users. Lower the setting privacy_min_users, and the next run shows them separately."
        )
    found = find_conversations(editor.published, topic["topic_id"], count, is_worst=is_worst)
    if as_json:
        write_json(json.dumps(found, default=str, ensure_ascii=False))
        return
    is_asked = bool(found) or has_prompts(editor.published, topic["field"])
    lines = conversation_lines(topic, found, is_worst=is_worst, has_prompts=is_asked)
    new_console(stderr=False).print_lines(*lines)


def _print_edit(editor: "TopicEditor", edit: Edit) -> None:
    """Print when an edit takes effect."""
    print_pending(editor.published, f"{edit.edit_id}: {edit.describe()}. It takes effect with the next run")


@topics.command(epilog='Example: turret topics rename prompt-3 "Refund requests"')
def rename(
    name: Name,
    label: Annotated[str, typer.Argument(metavar="LABEL", help="The new label.")],
    data_dir: DataDirOption = None,
) -> None:
    """Give a topic another label; no run changes it again."""
    _print_edit(editor := open_editor(data_dir), editor.rename(name, label))


@topics.command(epilog="Example: turret topics merge prompt-7 prompt-3")
def merge(
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="Topic to merge: its id or label.")],
    into: Annotated[str, typer.Argument(metavar="INTO", help="Topic to merge it into: its id or label.")],
    data_dir: DataDirOption = None,
) -> None:
    """Merge a topic into another topic of the same field."""
    _print_edit(editor := open_editor(data_dir), editor.merge(name, into))


@topics.command(epilog="Example: turret topics split prompt-3 --parts 3")
def split(
    name: Name,
    parts: Annotated[int, typer.Option("--parts", min=2, max=20, help="Number of parts.")] = 2,
    data_dir: DataDirOption = None,
) -> None:
    """Split a topic; the largest part keeps its id and label."""
    _print_edit(editor := open_editor(data_dir), editor.split(name, parts))


@topics.command(epilog="Example: turret topics lock prompt-3")
def lock(name: Name, data_dir: DataDirOption = None) -> None:
    """Lock a topic, so that no run changes it.

    No run splits it, merges it or gives it another label; new texts may still join it.
    """
    _print_edit(editor := open_editor(data_dir), editor.lock(name))


@topics.command(epilog="Example: turret topics unlock prompt-3")
def unlock(name: Name, data_dir: DataDirOption = None) -> None:
    """Unlock a topic."""
    _print_edit(editor := open_editor(data_dir), editor.unlock(name))


@topics.command(epilog="Example: turret topics role prompt-3 continuation")
def role(
    name: Name,
    to: Annotated[str, typer.Argument(metavar="ROLE", help=f"One of: {', '.join(ROLES)}.")],
    data_dir: DataDirOption = None,
) -> None:
    """Set the role of a topic: subject or follow-up.

    A journey stays on its subject through a follow-up (continuation), such as "yes please" or "make it shorter".
    """
    _print_edit(editor := open_editor(data_dir), editor.set_role(name, to))


@topics.command(epilog="Examples: turret topics undo; turret topics undo edit-2")
def undo(
    edit_id: Annotated[
        str | None, typer.Argument(metavar="EDIT", help="Id of the edit; default: the last edit.", show_default=False)
    ] = None,
    data_dir: DataDirOption = None,
) -> None:
    """Undo the last edit, or another one.

    `turret topics edits` lists the edits.
    """
    editor = open_editor(data_dir)
    edit = editor.undo(edit_id)
    print_pending(editor.published, f"Undone: {edit.edit_id}, {edit.describe()}. It takes effect with the next run")


@topics.command(epilog="Example: turret topics edits")
def edits(data_dir: DataDirOption = None) -> None:
    """List the edits in force, oldest first.

    Edits of topics that no longer exist are marked; runs leave them out.
    """
    from turret_pipeline.reports.topic_editor import format_edit

    editor = open_editor(data_dir)
    all_edits = editor.edits_file.read().all
    born = editor.births() if editor.data.warehouse.published.exists() else {}
    lines = [
        format_edit(edit) + (f"  (skipped: {reason})" if (reason := edit.reason_to_skip(born)) else "")
        for edit in all_edits
    ]
    new_console(stderr=False).print_lines(*(lines or ["No edits."]))


@topics.command(epilog="Examples: turret topics refit; turret topics refit --data-dir /srv/turret")
def refit(
    data_dir: DataDirOption = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log of every step.")] = False,
) -> None:
    """Find all topics from scratch; known topics keep their ids.

    Topics with mostly the same texts keep their ids and labels. Topics with edits stay as they are.
    """
    run_and_report(load_settings(data_dir=data_dir), refit=True, verbose=verbose)

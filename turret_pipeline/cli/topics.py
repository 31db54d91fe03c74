"""`turret topics`: look at the published topics, and decide about them.

Decisions are kept in a file under the data folder and take effect with the next run.
"""

import json
import sys
from pathlib import Path
from typing import Annotated

import polars as pl
import typer

from turret_pipeline.cli.console import new_console
from turret_pipeline.cli.run import run_and_report
from turret_pipeline.cli.topic_editor import Place, edit_line
from turret_pipeline.cli.topic_views import run_lines, topic_lines, topic_table
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline.topics.edits import ROLES
from turret_pipeline.topics.topic_id import TopicId

topics = typer.Typer(
    help="Look at topics, and decide about them: names, merges, splits, locks, roles. "
    "What you decide takes effect with the next run, and holds in all after it.",
    epilog='Examples: turret topics list; turret topics rename prompt-3 "Refund requests"; '
    "turret topics merge prompt-7 prompt-3; turret topics undo",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
Name = Annotated[
    str,
    typer.Argument(
        metavar="TOPIC", help="A topic: its id, such as prompt-3, its name, or a part of it that is unique."
    ),
]


@topics.command("list", epilog="Examples: turret topics list; turret topics list --field feedback --json")
def list_topics(
    field: Annotated[str | None, typer.Option("--field", help="Only the topics of this text field.")] = None,
    every: Annotated[bool, typer.Option("--all", help="Retired topics too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON, a row per topic.")] = False,
    data_dir: DataDir = None,
) -> None:
    """List the topics, those with most events first.

    Above them is how each field's last run went, below them are the edits that wait for the next run.
    """
    from turret_pipeline.topics.lifecycle.lineage import waiting_settings

    place = Place(data_dir)
    frame = place.query(
        "select * from marts.topics where status = 'active' or ? order by field, event_count desc, topic_id", every
    )
    fields = place.query("select distinct field from marts.topic_runs order by field")["field"].to_list()
    if field not in {None, *fields}:
        raise TurretError(f"There is no text field {field!r}; there are: {', '.join(fields) or 'none'}.")
    frame = frame if field is None else frame.filter(pl.col("field") == field)
    if as_json:
        sys.stdout.write(frame.write_json() + "\n")
        return
    console, waiting = new_console(stderr=False), place.waiting()
    for name in fields if field is None else [field]:
        last = place.query("select * from marts.topic_runs where field = ? order by started_at desc limit 1", name)
        row = last.row(0, named=True)
        console.print(*run_lines(row), sep="\n")
        if sentence := waiting_settings(row, place.space.topic_options):
            console.print(sentence, style="yellow", soft_wrap=True)
        console.print(topic_table(frame.filter(pl.col("field") == name), console.width), "")
    if waiting:
        console.print("Waiting for the next run:", *(f"  {line}" for line in waiting), sep="\n", soft_wrap=True)


@topics.command(epilog='Examples: turret topics show prompt-3; turret topics show "refund requests"')
def show(
    name: Name,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show one topic: what is said in it, and its history."""
    place = Place(data_dir)
    topic = place.topic(name)
    topic_id = topic["topic_id"]
    lineage = place.query(
        "select changed_at, topic_id, change, other_topic_id, overlap_share from marts.topic_lineage "
        "where topic_id = ? or other_topic_id = ? order by changed_at, topic_id, change",
        topic_id,
        topic_id,
    )
    if as_json:
        sys.stdout.write(json.dumps({**topic, "lineage": lineage.to_dicts()}, default=str, ensure_ascii=False) + "\n")
        return
    nearest = topic["nearest_topic_id"] and place.topic(topic["nearest_topic_id"])
    new_console(stderr=False).print("\n".join(topic_lines(topic, nearest, lineage)), markup=False, soft_wrap=True)


@topics.command(epilog='Example: turret topics rename prompt-3 "Refund requests"')
def rename(name: Name, label: Annotated[str, typer.Argument(help="The new name.")], data_dir: DataDir = None) -> None:
    """Give a topic a name of your own; no run changes it."""
    place = Place(data_dir)
    topic = place.active(name, "renamed")
    topic_id = topic["topic_id"]
    label = " ".join(label.split())
    if not label:
        raise TurretError("The new name is empty: give one, such as 'Refund requests'.")
    taken = place.query(
        "select topic_id, status from marts.topics where field = ? and lower(label) = lower(?)", topic["field"], label
    )
    decided = place.edits().labels().items()
    same_label = [other for other, given in decided if given.lower() == label.lower()]
    chosen = [other for other in same_label if TopicId.field_of(other) == topic["field"]]
    others = {*taken["topic_id"], *chosen} - {topic_id}
    if others:
        first = min(others)
        is_gone = first in taken.filter(pl.col("status") != "active")["topic_id"]
        remedy = "it is retired, but keeps its name: choose another" if is_gone else "choose another, or merge the two"
        raise TurretError(f"{first} is called {label!r} already: {remedy}.")
    if not label.isprintable():
        raise TurretError(f"The new name {label!r} has characters that cannot be printed: leave them out.")
    place.decide("rename", topic_id, label=label)


@topics.command(epilog="Example: turret topics merge prompt-7 prompt-3")
def merge(
    name: Annotated[str, typer.Argument(metavar="TOPIC", help="Topic that goes: its id or name.")],
    into: Annotated[str, typer.Argument(help="Topic that takes it in: its id or name.")],
    data_dir: DataDir = None,
) -> None:
    """Merge a topic into another one of its field."""
    place = Place(data_dir)
    one, other = place.active(name, "merged"), place.active(into, "merged into")
    topic_id, into_topic_id = one["topic_id"], other["topic_id"]
    if topic_id == into_topic_id:
        raise TurretError(f"Topic {topic_id} cannot be merged into itself: name another one to take it in.")
    if one["field"] != other["field"]:
        raise TurretError(
            f"{topic_id} is a topic of {one['field']}, {into_topic_id} one of {other['field']}: they cannot merge."
        )
    place.decide("merge", topic_id, into_topic_id=into_topic_id)


@topics.command(epilog="Example: turret topics split prompt-3 --parts 3")
def split(
    name: Name,
    parts: Annotated[int, typer.Option("--parts", min=2, max=20, help="Into how many.")] = 2,
    data_dir: DataDir = None,
) -> None:
    """Split a topic; the largest part keeps its id and name."""
    place = Place(data_dir)
    topic = place.active(name, "split")
    topic_id = topic["topic_id"]
    if topic["text_count"] < parts:
        raise TurretError(f"Topic {topic_id} has {topic['text_count']} distinct texts: too few for {parts} parts.")
    place.decide("split", topic_id, parts=parts)


@topics.command(epilog="Example: turret topics lock prompt-3")
def lock(name: Name, data_dir: DataDir = None) -> None:
    """Lock a topic, so that no run changes it.

    No run splits it, merges it or gives it another name; new texts may still join it.
    """
    place = Place(data_dir)
    place.decide("lock", place.active(name, "locked")["topic_id"])


@topics.command(epilog="Example: turret topics unlock prompt-3")
def unlock(name: Name, data_dir: DataDir = None) -> None:
    """Take a lock away."""
    place = Place(data_dir)
    topic_id = place.topic(name)["topic_id"]
    if topic_id not in place.edits().locked():
        raise TurretError(
            f"Topic {topic_id} is not locked: there is no lock to take away; turret topics lock sets one."
        )
    place.decide("unlock", topic_id)


@topics.command(epilog="Example: turret topics role prompt-3 continuation")
def role(
    name: Name,
    to: Annotated[str, typer.Argument(help=f"One of: {', '.join(ROLES)}.")],
    data_dir: DataDir = None,
) -> None:
    """Say whether a topic is a subject, or carries one on.

    A journey stays on its subject through a continuation, such as "yes please" or "make it shorter".
    """
    place = Place(data_dir)
    topic_id = place.active(name, "given a role")["topic_id"]
    if to not in ROLES:
        raise TurretError(f"There is no role {to!r}; a topic is one of: {', '.join(ROLES)}.")
    place.decide("role", topic_id, role=to)


@topics.command(epilog="Examples: turret topics undo; turret topics undo edit-2")
def undo(
    edit_id: Annotated[str | None, typer.Argument(help="Which edit; default: the last.", show_default=False)] = None,
    data_dir: DataDir = None,
) -> None:
    """Take back the last edit, or another one.

    `turret topics edits` lists them.
    """
    Place(data_dir).undo(edit_id)


@topics.command(epilog="Example: turret topics edits")
def edits(data_dir: DataDir = None) -> None:
    """List the edits in force, oldest first.

    Edits that were made for topics that are gone are marked: runs leave them out.
    """
    place = Place(data_dir)
    found = place.edits_file.read().all
    born = place.births() if place.space.published.exists() else {}
    lines = [
        edit_line(edit) + (f"  (left out: {reason})" if (reason := edit.why_left_out(born)) else "") for edit in found
    ]
    new_console(stderr=False).print("\n".join(lines or ["There are no edits."]), soft_wrap=True)


@topics.command(epilog="Examples: turret topics refit; turret topics refit --data-dir /srv/turret")
def refit(
    data_dir: DataDir = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log of every step.")] = False,
) -> None:
    """Find all topics anew, and keep the ids of those that stay.

    Topics with mostly the same texts keep their ids and names; those that an edit names stay as they are.
    """
    run_and_report(load_settings(data_dir=data_dir), refit=True, verbose=verbose)

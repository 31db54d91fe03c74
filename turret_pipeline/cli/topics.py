"""`turret topics`: look at the published topics, and decide about them.

Decisions are kept in a file under the data folder and take effect with the next run.
"""

import datetime as dt
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import duckdb
import polars as pl
import typer

from turret_pipeline.cli.console import near, new_console
from turret_pipeline.cli.running import run_and_report
from turret_pipeline.cli.topic_views import run_lines, topic_lines, topic_table
from turret_pipeline.errors import TurretError
from turret_pipeline.settings import load_settings
from turret_pipeline.topics.edits import ROLES, Edit
from turret_pipeline.topics.keep.lineage import waiting_settings

topics = typer.Typer(
    help="Look at topics, and decide about them: names, merges, splits, locks, roles. "
    "What you decide takes effect with the next run, and holds in all after it.",
    epilog='Examples: turret topics list; turret topics rename prompt-3 "Refund requests"; '
    "turret topics merge prompt-7 prompt-3; turret topics undo",
    no_args_is_help=True,
    rich_markup_mode=None,
)

DataDir = Annotated[Path | None, typer.Option("--data-dir", help="The data folder.  [default: data]")]
TopicId = Annotated[str, typer.Argument(help="Id of a topic, such as prompt-3; `turret topics list` has them.")]


class Place:
    """The published topics and a person's edits of a data folder."""

    def __init__(self, data_dir: Path | None) -> None:
        from turret_pipeline.pipeline.resources import Workspace

        self.space = Workspace(load_settings(data_dir=data_dir))
        self.edits_file = self.space.edits_file

    def query(self, sql: str, *values: object) -> pl.DataFrame:
        """Rows of the published file. TurretError where there is none."""
        from turret_pipeline.pipeline.resources import open_to_read

        if not self.space.published.exists():
            raise TurretError(f"Nothing is published in {self.space.root} yet: turret run comes first.")
        try:
            with open_to_read(self.space.published) as connection:
                frame: pl.DataFrame = connection.sql(sql, params=list(values)).pl()
                return frame
        except (duckdb.CatalogException, duckdb.BinderException):
            raise TurretError(
                f"{near(self.space.published)} was published by another version: turret run makes it anew."
            ) from None

    def topic(self, topic_id: str) -> dict[str, Any]:
        """A published topic. TurretError where there is none of that id."""
        found = self.query("select * from marts.topics where topic_id = ?", topic_id)
        if found.is_empty():
            known = self.query("select topic_id from marts.topics where status = 'active' order by event_count desc")
            some = ", ".join(known["topic_id"].head(5)) or "none"
            more = " ..." if known.height > 5 else "."
            raise TurretError(f"There is no topic {topic_id!r} in {near(self.space.published)}; there are {some}{more}")
        return found.row(0, named=True)

    def active(self, topic_id: str, what: str) -> dict[str, Any]:
        """A published topic that is active and a topic of its own. TurretError says why it cannot be changed."""
        topic = self.topic(topic_id)
        if topic["status"] != "active":
            gone = f", merged into {into}" if (into := topic["merged_into_topic_id"]) else ""
            raise TurretError(f"Topic {topic_id} is {topic['status']}{gone}: it cannot be {what}.")
        if topic["label_source"] == "privacy":
            raise TurretError(f"{topic_id} stands for all topics of too few users: it cannot be {what}.")
        return topic

    def decide(self, action: Any, topic_id: str, **details: str | int) -> None:  # noqa: ANN401
        """Keep a decision and say when it takes effect."""
        edited_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        edit = self.edits_file.add(action, topic_id, edited_at, **details)
        self._say(f"{edit.edit_id}: {edit.sentence()}. It takes effect with the next run: turret run{self._where()}")

    def waiting(self) -> list[Edit]:
        """Edits that were made after the last published run began."""
        started = self.query("select max(started_at) from marts.pipeline_runs").item()
        return [edit for edit in self.edits_file.read().all if edit.edited_at >= started.isoformat(timespec="seconds")]

    def undo(self, edit_id: str | None) -> None:
        """Take a decision back."""
        edit = self.edits_file.undo(edit_id)
        self._say(f"Undone: {edit.edit_id}, {edit.sentence()}. It is gone with the next run: turret run{self._where()}")

    def _where(self) -> str:
        return "" if self.space.root == Path.cwd() / "data" else f" --data-dir {near(self.space.root)}"

    def _say(self, sentence: str) -> None:
        new_console(stderr=False).print(sentence, soft_wrap=True)


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
    console = new_console(stderr=False)
    for name in fields if field is None else [field]:
        last = place.query("select * from marts.topic_runs where field = ? order by started_at desc limit 1", name)
        row = last.row(0, named=True)
        console.print(*run_lines(row), sep="\n")
        if sentence := waiting_settings(row, place.space.topic_options):
            console.print(sentence, style="yellow", soft_wrap=True)
        console.print(topic_table(frame.filter(pl.col("field") == name)), "")
    waiting = place.waiting()
    if waiting:
        console.print("Waiting for the next run:", *(f"  {_line(edit)}" for edit in waiting), sep="\n", soft_wrap=True)


@topics.command(epilog="Example: turret topics show prompt-3")
def show(
    topic_id: TopicId,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
    data_dir: DataDir = None,
) -> None:
    """Show one topic: what is said in it, and its history."""
    place = Place(data_dir)
    topic = place.topic(topic_id)
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
def rename(
    topic_id: TopicId, label: Annotated[str, typer.Argument(help="The new name.")], data_dir: DataDir = None
) -> None:
    """Give a topic a name of your own; no run changes it."""
    place = Place(data_dir)
    topic = place.active(topic_id, "renamed")
    label = " ".join(label.split())
    if not label:
        raise TurretError("The new name is empty: give one, such as 'Refund requests'.")
    taken = place.query(
        "select topic_id from marts.topics where field = ? and lower(label) = lower(?)", topic["field"], label
    )
    decided = place.edits_file.read().labels().items()
    chosen = [other for other, name in decided if name.lower() == label.lower() and _field(other) == topic["field"]]
    others = {*taken["topic_id"], *chosen} - {topic_id}
    if others:
        raise TurretError(f"{min(others)} is called {label!r} already: choose another name, or merge the two.")
    if not label.isprintable():
        raise TurretError(f"The new name {label!r} has characters that cannot be printed: leave them out.")
    place.decide("rename", topic_id, label=label)


@topics.command(epilog="Example: turret topics merge prompt-7 prompt-3")
def merge(
    topic_id: Annotated[str, typer.Argument(help="Topic that goes.")],
    into: Annotated[str, typer.Argument(help="Topic that takes it in.")],
    data_dir: DataDir = None,
) -> None:
    """Merge a topic into another one of its field."""
    place = Place(data_dir)
    one, other = place.active(topic_id, "merged"), place.active(into, "merged into")
    if topic_id == into:
        raise TurretError(f"Topic {topic_id} cannot be merged into itself.")
    if one["field"] != other["field"]:
        raise TurretError(
            f"{topic_id} is a topic of {one['field']}, {into} one of {other['field']}: they cannot merge."
        )
    place.decide("merge", topic_id, into_topic_id=into)


@topics.command(epilog="Example: turret topics split prompt-3 --parts 3")
def split(
    topic_id: TopicId,
    parts: Annotated[int, typer.Option("--parts", min=2, max=20, help="Into how many.")] = 2,
    data_dir: DataDir = None,
) -> None:
    """Split a topic; the largest part keeps its id and name."""
    place = Place(data_dir)
    topic = place.active(topic_id, "split")
    if topic["text_count"] < parts:
        raise TurretError(f"Topic {topic_id} has {topic['text_count']} distinct texts: too few for {parts} parts.")
    place.decide("split", topic_id, parts=parts)


@topics.command(epilog="Example: turret topics lock prompt-3")
def lock(topic_id: TopicId, data_dir: DataDir = None) -> None:
    """Lock a topic, so that no run changes it.

    No run splits it, merges it or gives it another name; new texts may still join it.
    """
    place = Place(data_dir)
    place.active(topic_id, "locked")
    place.decide("lock", topic_id)


@topics.command(epilog="Example: turret topics unlock prompt-3")
def unlock(topic_id: TopicId, data_dir: DataDir = None) -> None:
    """Take a lock away."""
    place = Place(data_dir)
    place.topic(topic_id)
    if topic_id not in place.edits_file.read().locked():
        raise TurretError(f"Topic {topic_id} is not locked.")
    place.decide("unlock", topic_id)


@topics.command(epilog="Example: turret topics role prompt-3 continuation")
def role(
    topic_id: TopicId,
    to: Annotated[str, typer.Argument(help=f"One of: {', '.join(ROLES)}.")],
    data_dir: DataDir = None,
) -> None:
    """Say whether a topic is a subject, or carries one on.

    A journey stays on its subject through a continuation, such as "yes please" or "make it shorter".
    """
    place = Place(data_dir)
    place.active(topic_id, "given a role")
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
    """List the edits in force, oldest first."""
    place = Place(data_dir)
    found = place.edits_file.read().all
    lines = [_line(edit) for edit in found]
    new_console(stderr=False).print("\n".join(lines or ["There are no edits."]), soft_wrap=True)


def _line(edit: Edit) -> str:
    return f"{edit.edit_id}  {edit.edited_at[:16].replace('T', ' ')}  {edit.sentence()}"


def _field(topic_id: str) -> str:
    return topic_id.rpartition("-")[0]


@topics.command(epilog="Examples: turret topics refit; turret topics refit --data-dir /srv/turret")
def refit(
    data_dir: DataDir = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show the log of every step.")] = False,
) -> None:
    """Find all topics anew, and keep the ids of those that stay.

    Topics with mostly the same texts keep their ids and names; those that an edit names stay as they are.
    """
    run_and_report(load_settings(data_dir=data_dir), refit=True, verbose=verbose)

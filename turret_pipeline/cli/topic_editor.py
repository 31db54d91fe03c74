"""Published topics and the user's edits of them, with the checks that an edit must pass."""

import datetime as dt
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.cli.console import print_pending
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.topic_id import TopicId


class TopicEditor:
    """The published topics of a data folder, and the user's edits of them."""

    def __init__(self, data_dir: Path | None) -> None:
        from turret_pipeline.reports.published_tables import PublishedTables

        self.settings = load_settings(data_dir=data_dir)
        self.published = PublishedTables.of_settings(self.settings)
        self.data = self.published.data
        self.edits_file = self.data.topic_edits

    def query(self, sql: str, *values: object) -> pl.DataFrame:
        """Rows of the published file. Raises TurretError if nothing is published."""
        return self.published.query(sql, *values)

    def find_topic(self, name: str) -> dict[str, Any]:
        """The published topic with this id or label. Raises TurretError if no topic or several topics match."""
        found = self.query("select * from marts.topics where topic_id = ?", name)
        if found.is_empty() and (topic_id := self.published.find_topic_id(name)):
            found = self.query("select * from marts.topics where topic_id = ?", topic_id)
        if found.is_empty():
            known = self.query(
                "select topic_id from marts.topics where status = 'active' order by field <> ?, event_count desc",
                TopicId.field_of(name) or name,
            )
            some = ", ".join(known["topic_id"].head(5)) or "none"
            more = f" and {known.height - 5} more (turret topics list)" if known.height > 5 else ""
            raise TurretError(
                f"Unknown topic {name!r} in {display_path(self.data.warehouse.published)}. Available: {some}{more}."
            )
        return found.row(0, named=True)

    def find_active_topic(self, name: str, change: str) -> dict[str, Any]:
        """The active topic with this id or label. Raises TurretError if it cannot be changed."""
        topic = self.find_topic(name)
        topic_id = topic["topic_id"]
        if topic["status"] != "active":
            if into := topic["merged_into_topic_id"]:
                raise TurretError(
                    f"Topic {topic_id} was merged into {into} and cannot be {change}: use {into} instead."
                )
            raise TurretError(
                f"Topic {topic_id} has no texts any more ({topic['status']}) and cannot be {change}: use a topic of "
                "turret topics list. It becomes active again when such texts come in."
            )
        if topic["label_source"] == "privacy":
            raise TurretError(
                f"Topic {topic_id} combines all topics with too few users and cannot be {change}: lower the setting "
                "privacy_min_users, and the next run shows them separately."
            )
        return topic

    def add_edit(self, action: Any, topic_id: str, **details: str | int) -> None:  # noqa: ANN401
        """Store an edit and print when it takes effect."""
        edited_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        birth_runs, into_topic_id = self.births(), str(details.get("into_topic_id", ""))
        edit = self.edits_file.add(
            action,
            topic_id,
            edited_at,
            **details,
            born_run_id=birth_runs.get(topic_id),
            into_born_run_id=birth_runs.get(into_topic_id),
        )
        print_pending(self.published, f"{edit.edit_id}: {edit.describe()}. It takes effect with the next run")

    def births(self) -> dict[str, str]:
        """Run in which each topic was born, by topic id, including topics suppressed by privacy_min_users."""
        from turret_pipeline.topics.lifecycle.lineage import births

        stored = self.data.topic_states.read_lineage(self._last_run()["topic_state_id"].item())
        return births(self.query("select * from marts.topic_lineage") if stored is None else stored)

    def applied_edits(self) -> set[str]:
        """Edits that the last published topics follow, as lines, including edits of suppressed topics."""
        last = self._last_run()
        stored = self.data.topic_states.read_applied_edits(last["topic_state_id"].item())
        return set(last["edits"].explode().drop_nulls() if stored is None else stored)

    def _last_run(self) -> pl.DataFrame:
        return self.query("select topic_state_id, edits from marts.pipeline_runs order by run_number desc limit 1")

    def edits(self) -> Edits:
        """The edits in force that were made for the published topics."""
        return self.edits_file.read().applicable(self.births())

    def pending_edits(self) -> list[str]:
        """Edits that the next run will apply, and edits that it will undo."""
        edits, applied = self.edits(), self.applied_edits()
        undone = sorted(applied - set(edits.lines()))
        pending = [format_edit(edit) for edit in edits.all if edit.line() not in applied]
        return [*pending, *(f"undo {line}" for line in undone)]

    def undo(self, edit_id: str | None) -> None:
        """Undo an edit, the last one by default."""
        edit = self.edits_file.undo(edit_id)
        print_pending(self.published, f"Undone: {edit.edit_id}, {edit.describe()}. It takes effect with the next run")


def format_edit(edit: Edit) -> str:
    """An edit as a line: its id, its time, and the edit in words."""
    return f"{edit.edit_id}  {edit.edited_at[:16].replace('T', ' ')}  {edit.describe()}"

"""Published topics and the user's edits of them, with the checks that an edit must pass.

Commands and the dashboard edit topics here. An edit takes effect with the next run.
"""

import datetime as dt
from typing import Any

import polars as pl

from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.topics.edits import ROLES, Action, Edit, Edits
from turret_pipeline.topics.topic_id import TopicId


class TopicEditor:
    """The published topics of a data folder, and the user's edits of them."""

    def __init__(self, published: PublishedTables) -> None:
        self.published = published
        self.data = published.data
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

    def rename(self, name: str, label: str) -> Edit:
        """Give a topic another label, which no run changes. Raises TurretError if another topic has it."""
        topic = self.find_active_topic(name, "renamed")
        label = " ".join(label.split())
        if not label:
            raise TurretError("The new label is empty: use a label such as 'Refund requests'.")
        self._check_label_is_free(topic, label)
        if not label.isprintable():
            raise TurretError(f"The new label {label!r} contains unprintable characters: remove them.")
        return self._add("rename", topic["topic_id"], label=label)

    def _check_label_is_free(self, topic: dict[str, Any], label: str) -> None:
        sql = "select topic_id, status from marts.topics where field = ? and lower(label) = lower(?)"
        taken = self.query(sql, topic["field"], label)
        renamed = self.edits().labels().items()
        same_label = [other for other, given in renamed if given.lower() == label.lower()]
        chosen = [other for other in same_label if TopicId.field_of(other) == topic["field"]]
        others = {*taken["topic_id"], *chosen} - {topic["topic_id"]}
        if not others:
            return
        first = min(others)
        is_retired = first in taken.filter(pl.col("status") != "active")["topic_id"]
        fix = (
            "choose another label (retired topics keep theirs)"
            if is_retired
            else "choose another label, or merge the two"
        )
        raise TurretError(f"Topic {first} already has the label {label!r}: {fix}.")

    def merge(self, name: str, into: str) -> Edit:
        """Merge a topic into another one of the same field."""
        one, other = self.find_active_topic(name, "merged"), self.find_active_topic(into, "merged into")
        topic_id, into_topic_id = one["topic_id"], other["topic_id"]
        if topic_id == into_topic_id:
            raise TurretError(f"Topic {topic_id} cannot be merged into itself: choose another topic.")
        if one["field"] != other["field"]:
            raise TurretError(
                f"Topics of different fields cannot be merged: {topic_id} ({one['field']}), "
                f"{into_topic_id} ({other['field']})."
            )
        return self._add("merge", topic_id, into_topic_id=into_topic_id)

    def split(self, name: str, parts: int) -> Edit:
        """Split a topic; the largest part keeps its id and label."""
        topic = self.find_active_topic(name, "split")
        if topic["text_count"] < parts:
            raise TurretError(
                f"Topic {topic['topic_id']} has {topic['text_count']} distinct texts: too few for {parts} parts."
            )
        return self._add("split", topic["topic_id"], parts=parts)

    def lock(self, name: str) -> Edit:
        """Lock a topic, so that no run changes it."""
        return self._add("lock", self.find_active_topic(name, "locked")["topic_id"])

    def unlock(self, name: str) -> Edit:
        """Unlock a topic. Raises TurretError if it is not locked."""
        topic_id = self.find_topic(name)["topic_id"]
        if topic_id not in self.edits().locked():
            raise TurretError(f"Topic {topic_id} is not locked.")
        return self._add("unlock", topic_id)

    def set_role(self, name: str, role: str) -> Edit:
        """Make a topic a subject of sessions, or a follow-up (continuation)."""
        topic_id = self.find_active_topic(name, "given a role")["topic_id"]
        if role not in ROLES:
            raise TurretError(f"Unknown role {role!r}. Available: {', '.join(ROLES)}.")
        return self._add("role", topic_id, role=role)

    def undo(self, edit_id: str | None) -> Edit:
        """Undo an edit, the last one by default."""
        return self.edits_file.undo(edit_id)

    def _add(self, action: Action, topic_id: str, **details: str | int) -> Edit:
        """Store an edit."""
        edited_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        birth_runs, into_topic_id = self.births(), str(details.get("into_topic_id", ""))
        return self.edits_file.add(
            action,
            topic_id,
            edited_at,
            **details,
            born_run_id=birth_runs.get(topic_id),
            into_born_run_id=birth_runs.get(into_topic_id),
        )

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

    def pending(self) -> list[Edit]:
        """Edits that the next run will apply."""
        applied = self.applied_edits()
        return [edit for edit in self.edits().all if edit.line() not in applied]

    def pending_edits(self) -> list[str]:
        """Edits that the next run will apply, and edits that it will undo, as lines."""
        return [*(format_edit(edit) for edit in self.pending()), *(f"undo {line}" for line in self.pending_undos())]

    def pending_undos(self) -> list[str]:
        """Edits in words that the last published topics follow, and that the next run will undo."""
        return sorted(self.applied_edits() - set(self.edits().lines()))


def format_edit(edit: Edit) -> str:
    """An edit as a line: its id, its time, and the edit in words."""
    return f"{edit.edit_id}  {edit.edited_at[:16].replace('T', ' ')}  {edit.describe()}"

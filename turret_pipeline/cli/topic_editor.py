"""The published topics of a data folder and a person's edits of them, with the sentences that refuse what cannot be."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.cli.console import new_console
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError, display_path
from turret_pipeline.topics.edits import Edit, Edits
from turret_pipeline.topics.topic_id import TopicId


class Place:
    """The published topics and a person's edits of a data folder."""

    def __init__(self, data_dir: Path | None) -> None:
        from turret_pipeline.orchestration.resources import Workspace
        from turret_pipeline.reports.journey_queries import Published

        self.space = Workspace(load_settings(data_dir=data_dir))
        self.published = Published(self.space)
        self.edits_file = self.space.edits_file

    def query(self, sql: str, *values: object) -> pl.DataFrame:
        """Rows of the published file. TurretError where there is none."""
        return self.published.query(sql, *values)

    def topic(self, name: str) -> dict[str, Any]:
        """A published topic by its id or by what it is called. TurretError where there is none, or several."""
        found = self.query("select * from marts.topics where topic_id = ?", name)
        if found.is_empty() and (topic_id := self.published.topic_id(name)):
            found = self.query("select * from marts.topics where topic_id = ?", topic_id)
        if found.is_empty():
            known = self.query(
                "select topic_id from marts.topics where status = 'active' order by field <> ?, event_count desc",
                TopicId.field_of(name) or name,
            )
            some = ", ".join(known["topic_id"].head(5)) or "none"
            more = f" and {known.height - 5} more, which turret topics list tells" if known.height > 5 else ""
            raise TurretError(
                f"There is no topic {name!r} in {display_path(self.space.published)}; there are {some}{more}."
            )
        return found.row(0, named=True)

    def active(self, name: str, what: str) -> dict[str, Any]:
        """A published topic that is active and a topic of its own. TurretError says why it cannot be changed."""
        topic = self.topic(name)
        topic_id = topic["topic_id"]
        if topic["status"] != "active":
            if into := topic["merged_into_topic_id"]:
                raise TurretError(f"Topic {topic_id} was merged into {into}: it cannot be {what}. Take {into}.")
            raise TurretError(
                f"Topic {topic_id} has no texts any more ({topic['status']}): it cannot be {what}. Take one that "
                "turret topics list has; it comes back when texts of it do."
            )
        if topic["label_source"] == "privacy":
            raise TurretError(
                f"{topic_id} stands for all topics of too few users: it cannot be {what}. With a lower setting "
                "privacy_min_users, the next run shows those topics themselves."
            )
        return topic

    def decide(self, action: Any, topic_id: str, **details: str | int) -> None:  # noqa: ANN401
        """Keep a decision and say when it takes effect."""
        edited_at = dt.datetime.now(dt.UTC).isoformat(timespec="seconds")
        born, into = self.births(), str(details.get("into_topic_id", ""))
        edit = self.edits_file.add(
            action, topic_id, edited_at, **details, born_run_id=born.get(topic_id), into_born_run_id=born.get(into)
        )
        self.say(f"{edit.edit_id}: {edit.sentence()}. It takes effect with the next run")

    def births(self) -> dict[str, str]:
        """The run in which each topic was born, of those too that setting privacy_min_users hides."""
        from turret_pipeline.topics.lifecycle.lineage import births

        kept = self._state() / "topic_lineage.parquet"
        known = pl.read_parquet(kept, glob=False) if kept.exists() else self.query("select * from marts.topic_lineage")
        return births(known)

    def followed(self) -> set[str]:
        """The edits that the topics published last follow, a line each, also those of hidden topics."""
        from turret_pipeline.orchestration.resources import FOLLOWED

        kept = self._state() / FOLLOWED
        if kept.exists():
            return set(json.loads(kept.read_text(encoding="utf-8")))
        return set(self._last_run()["edits"].explode().drop_nulls())  # published by a version that noted them there

    def _state(self) -> Path:
        """Where the topic state lies that was published last."""
        return self.space.states / str(self._last_run()["topic_state_id"].item())

    def _last_run(self) -> pl.DataFrame:
        return self.query(
            "select topic_state_id, edits from marts.pipeline_runs order by published_at desc, run_id desc limit 1"
        )

    def edits(self) -> Edits:
        """The edits in force that were made for the published topics."""
        return self.edits_file.read().made_for(self.births())

    def waiting(self) -> list[str]:
        """Edits that the topics published last do not follow yet, and edits that they still follow."""
        edits, followed = self.edits(), self.followed()
        undone = sorted(followed - set(edits.lines()))
        waiting = [edit_line(edit) for edit in edits.all if edit.line() not in followed]
        return [*waiting, *(f"undo {line}" for line in undone)]

    def undo(self, edit_id: str | None) -> None:
        """Take a decision back."""
        edit = self.edits_file.undo(edit_id)
        self.say(f"Undone: {edit.edit_id}, {edit.sentence()}. It is gone with the next run")

    def say(self, sentence: str) -> None:
        """Tell what was decided, and the command of the run that it waits for."""
        new_console(stderr=False).print(f"{sentence}: {self.published.command('run')}", soft_wrap=True)


def edit_line(edit: Edit) -> str:
    """An edit in a list: its id, when it was made, and what was decided."""
    return f"{edit.edit_id}  {edit.edited_at[:16].replace('T', ' ')}  {edit.sentence()}"

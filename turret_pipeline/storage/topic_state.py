"""Topic states on disk: what the next run continues from, and the note that says which one the lake shows."""

import hashlib
import io
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.storage.checksums import find_changed, read_checksums, write_checksums
from turret_pipeline.storage.lake import Lake, conform, is_readable
from turret_pipeline.tables import LAKE_TABLES
from turret_pipeline.topics.edits import Edits
from turret_pipeline.topics.lifecycle.state import TopicState

APPLIED_EDITS = "edits.json"
"""The edits that a topic state was made with, one line each, beside its tables."""


@dataclass(frozen=True)
class TopicStateStore:
    """Topic states below ``root``, each in a folder named by its content, and their tables in the lake."""

    root: Path
    lake: Lake

    def save(self, state: TopicState, disclosed: TopicState, edits: Edits, made_with: Mapping[str, str]) -> None:
        """Store a state, write its disclosed part to the lake, and note which state the lake shows.

        The note is written after all tables, so that the half-written tables of a killed run are never published. It
        holds ``made_with`` (columns of ``pipeline_runs``) because another run may publish these tables later, and of
        ``edits`` only those of disclosed topics. All edits are stored with the state, which is not published.
        """
        tables = {name: _to_parquet(conform(LAKE_TABLES[name], getattr(state, name))) for name in TopicState.tables()}
        state_id = hashlib.sha256(b"".join(tables.values())).hexdigest()[:24]
        self._write(state_id, tables, edits.lines())
        remove(self._note)
        for name in tables:
            self.lake.write(name, getattr(disclosed, name))
        note = {
            "topic_state_id": state_id,
            "edits": edits.about(set(disclosed.topic_definitions["topic_id"])).lines(),
            **made_with,
        }
        with atomic_replace(self._note) as temp:
            temp.write_text(json.dumps(note), encoding="utf-8")

    def read_note(self) -> dict[str, Any]:
        """The state that the lake's tables show, and how it was made, as columns of ``pipeline_runs``.

        Raises TurretError if the tables are incomplete.
        """
        if not self._note.exists():
            raise TurretError(
                f"The topic tables in {self.lake.root} are incomplete: materialize the assets group:topics, "
                "or run turret run."
            )
        try:
            note: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
            if not isinstance(note["topic_state_id"], str):
                raise ValueError
        except (OSError, ValueError, KeyError, TypeError):
            raise FaultError(
                f"{self._note} is damaged: run turret run --full-refresh, which writes it and the topic tables again."
            ) from None
        return note

    def is_shown(self, state_id: str) -> bool:
        """True if the tables of the lake are those of this state, not of one that another machine has gone on from."""
        try:
            return bool(self.read_note()["topic_state_id"] == state_id)
        except TurretError:
            return False

    def read(self, state_id: str) -> TopicState:
        """A stored state. Raises TurretError if it was removed."""
        folder = self.root / state_id
        if not folder.is_dir():
            raise TurretError(
                f"Topic state {state_id}, which the published file names, is missing from {self.root}: restore that "
                "folder from a backup, or remove the folder warehouse to find all topics from scratch."
            )
        if changed := find_changed(folder):
            raise FaultError(
                f"Topic state {state_id} in {self.root} is damaged ({', '.join(changed)}): turret doctor --repair "
                "repairs it or says what to restore."
            )
        files = {table: folder / f"{table}.parquet" for table in TopicState.tables()}
        tables = {table: pl.read_parquet(file, glob=False) for table, file in files.items() if file.exists()}
        return TopicState.from_tables(tables)

    def read_lineage(self, state_id: str) -> pl.DataFrame | None:
        """Table ``topic_lineage`` of a state, suppressed topics included; None without a readable one."""
        file = self.root / state_id / "topic_lineage.parquet"
        try:
            return pl.read_parquet(file, glob=False) if file.exists() else None
        except (pl.exceptions.PolarsError, OSError):
            return None

    def read_applied_edits(self, state_id: str) -> list[str] | None:
        """The edits that a state was made with, one line each, suppressed topics included; None if not known."""
        file = self.root / state_id / APPLIED_EDITS
        try:
            found: list[str] = json.loads(file.read_text(encoding="utf-8"))
            return [*map(str, found)]
        except (OSError, ValueError, TypeError):
            return None

    def find_changed(self, state_id: str) -> list[str]:
        """Names of the files of a state that are missing or damaged."""
        folder = self.root / state_id
        if not folder.is_dir():
            return sorted(f"{table}.parquet" for table in TopicState.tables())
        if read_checksums(folder) is not None:
            return find_changed(folder)
        return [path.name for path in sorted(folder.glob("*.parquet")) if not is_readable(path)]

    def forget_applied_edits(self, state_id: str) -> None:
        """Remove the file of the edits that a state was made with; then those in the published file count."""
        remove(self.root / state_id / APPLIED_EDITS)
        write_checksums(self.root / state_id)

    def restore(self, state_id: str, *, is_trial: bool = False) -> bool:
        """Make a state again from the tables of the lake; False if these do not show it, or not all of it.

        With ``is_trial``, only say if that would work.
        """
        try:
            tables = {name: _to_parquet(self.lake.read(name)) for name in TopicState.tables()}
            note = self.read_note()
        except (TurretError, pl.exceptions.PolarsError, OSError):
            return False
        if hashlib.sha256(b"".join(tables.values())).hexdigest()[:24] != state_id:
            return False
        if not is_trial:
            remove(self.root / state_id)
            edits = note.get("edits") if note["topic_state_id"] == state_id else None
            self._write(state_id, tables, edits)
        return True

    def _write(self, state_id: str, tables: Mapping[str, bytes], edits: list[str] | None) -> None:
        with atomic_replace(self.root / state_id) as folder:
            folder.mkdir()
            for name, content in tables.items():
                (folder / f"{name}.parquet").write_bytes(content)
            if edits is not None:
                (folder / APPLIED_EDITS).write_text(json.dumps(edits), encoding="utf-8")
            write_checksums(folder)

    def remove_all_but(self, state_ids: Collection[str]) -> None:
        """Remove all stored states except these."""
        for folder in self.root.glob("*"):
            if folder.name not in state_ids:
                remove(folder)

    @property
    def _note(self) -> Path:
        return self.lake.root / "topic_state.json"


def _to_parquet(frame: pl.DataFrame) -> bytes:
    content = io.BytesIO()
    frame.write_parquet(content)
    return content.getvalue()

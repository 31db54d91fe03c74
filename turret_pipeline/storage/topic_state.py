"""Topic states on disk: what the next run continues from, and the note that says which one the lake shows."""

import hashlib
import io
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import atomic_replace, remove
from turret_pipeline.storage.lake import Lake, conform
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
        with atomic_replace(self.root / state_id) as folder:
            folder.mkdir()
            for name, content in tables.items():
                (folder / f"{name}.parquet").write_bytes(content)
            (folder / APPLIED_EDITS).write_text(json.dumps(edits.lines()), encoding="utf-8")
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
        note: dict[str, Any] = json.loads(self._note.read_text(encoding="utf-8"))
        return note

    def read(self, state_id: str) -> TopicState:
        """A stored state. Raises TurretError if it was removed."""
        folder = self.root / state_id
        if not folder.is_dir():
            raise TurretError(
                f"Topic state {state_id}, which the published file names, is missing from {self.root}: restore that "
                "folder from a backup, or remove warehouse/turret.duckdb to find all topics from scratch."
            )
        files = {table: folder / f"{table}.parquet" for table in TopicState.tables()}
        tables = {table: pl.read_parquet(file, glob=False) for table, file in files.items() if file.exists()}
        return TopicState.from_tables(tables)

    def read_lineage(self, state_id: str) -> pl.DataFrame | None:
        """Table ``topic_lineage`` of a state, suppressed topics included; None if the state was removed."""
        file = self.root / state_id / "topic_lineage.parquet"
        return pl.read_parquet(file, glob=False) if file.exists() else None

    def read_applied_edits(self, state_id: str) -> list[str] | None:
        """The edits that a state was made with, one line each, suppressed topics included; None if not known."""
        file = self.root / state_id / APPLIED_EDITS
        return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None

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

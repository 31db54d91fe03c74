"""A person's judgements of signals: `signal_marks.jsonl` in the data folder, a JSON object per exchange and signal."""

from dataclasses import asdict, dataclass
from pathlib import Path

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.atomic_files import lock_file
from turret_pipeline.storage.json_lines import read_objects, write_objects
from turret_pipeline.tables.signals import SIGNALS

SCHEMA = pl.Schema(
    {"exchange_id": pl.String(), "signal": pl.String(), "is_right": pl.Boolean(), "marked_at": pl.String()}
)


@dataclass(frozen=True)
class Mark:
    """One judgement: the signal of the exchange is right or wrong."""

    exchange_id: str
    signal: str
    is_right: bool
    marked_at: str


@dataclass(frozen=True)
class SignalMarksFile:
    """The file of the marks. A change replaces it atomically; concurrent changes wait for each other."""

    path: Path

    def read(self) -> pl.DataFrame:
        """The marks (SCHEMA), at most one per exchange and signal. Raises TurretError that names an invalid line."""
        return pl.DataFrame([asdict(mark) for mark in self._read_marks()], SCHEMA)

    def add(self, mark: Mark) -> None:
        """Store a mark in place of an earlier one of the same exchange and signal."""
        with lock_file(self.path):
            key = (mark.exchange_id, mark.signal)
            kept = [one for one in self._read_marks() if (one.exchange_id, one.signal) != key]
            write_objects(self.path, (asdict(one) for one in (*kept, mark)))

    def _read_marks(self) -> list[Mark]:
        found: dict[tuple[str, str], Mark] = {}
        for place, row in read_objects(self.path, "signal marks"):
            if row.keys() != SCHEMA.keys():
                raise TurretError(f"{place} must have the keys {', '.join(SCHEMA)} and no others.")
            if row["signal"] not in SIGNALS or not isinstance(row["is_right"], bool):
                raise TurretError(f"{place} must have a signal ({', '.join(SIGNALS)}), and is_right true or false.")
            mark = Mark(str(row["exchange_id"]), row["signal"], row["is_right"], str(row["marked_at"]))
            found[mark.exchange_id, mark.signal] = mark
        return list(found.values())

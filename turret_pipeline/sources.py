"""Landing files to event parts in the lake: each content is read once, whatever its name.

A file's parts lie in a folder named by the hash of its bytes, which appears by one rename when the file is read whole.
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from turret_pipeline.events.canonical import accepted_values, account_for_rows, canonical_events
from turret_pipeline.events.parsing import EVENT_PART_SCHEMA, VALUE_PART_SCHEMA, parse_records
from turret_pipeline.events.reading import content_sha256, read_records
from turret_pipeline.lake import replacing
from turret_pipeline.tables import EVENT_VALUES, EVENTS, POLARS_TYPES, REJECTED_EVENTS, SOURCE_FILES

FILE_SCHEMA = pl.Schema(
    {
        "source_file": pl.String(),
        "content_sha256": pl.String(),
        "row_count": pl.Int64(),
        "ingested_at": POLARS_TYPES["timestamp"],
    }
)


@dataclass(frozen=True)
class Canonical:
    """The tables of these names."""

    source_files: pl.DataFrame
    rejected_events: pl.DataFrame
    events: pl.DataFrame
    event_values: pl.DataFrame


@dataclass(frozen=True)
class Sources:
    """The event parts of every landing file that was ever read."""

    root: Path

    def known(self) -> list[str]:
        """Hashes of the contents that were read, sorted."""
        return sorted(folder.name for folder in self.root.glob("*") if folder.is_dir() and folder.name[0] != ".")

    def new_files(self, paths: Sequence[Path]) -> dict[str, Path]:
        """Files whose content was not read yet, by hash; of equal ones the first."""
        known = set(self.known())
        found: dict[str, Path] = {}
        for path in paths:
            sha = content_sha256(path)
            if sha not in known:
                found.setdefault(sha, path)
        return found

    def add(self, path: Path, sha: str, read_at: dt.datetime) -> Iterator[int]:
        """Read a file and keep its parts once exhausted; yields how many rows each batch had."""
        with replacing(self.root / sha) as folder:
            folder.mkdir()
            row_count = 0
            for number, batch in enumerate(parse_records(read_records(path), path.as_posix(), sha)):
                batch.events.write_parquet(folder / f"events-{number:05}.parquet")
                batch.values.write_parquet(folder / f"values-{number:05}.parquet")
                batch.rejected.write_parquet(folder / f"rejected-{number:05}.parquet")
                row_count += batch.row_count
                yield batch.row_count
            file = (path.as_posix(), sha, row_count, read_at)
            pl.DataFrame([file], FILE_SCHEMA, orient="row").write_parquet(folder / "file.parquet")

    def canonical(self, session_gap_minutes: float) -> Canonical:
        """All parts together: each event once, every row accounted for."""
        parts = self._scan("events", EVENT_PART_SCHEMA).collect()
        rejected = self._scan("rejected", REJECTED_EVENTS.schema).collect().sort("source_file", *REJECTED_EVENTS.key)
        events = canonical_events(parts, session_gap_minutes)
        values = accepted_values(events, self._scan("values", VALUE_PART_SCHEMA))
        files = account_for_rows(self._scan("file", FILE_SCHEMA).collect(), parts, events, rejected)
        return Canonical(
            source_files=files.select(SOURCE_FILES.schema.names()),
            rejected_events=rejected,
            events=events.select(EVENTS.schema.names()),
            event_values=values.select(EVENT_VALUES.schema.names()),
        )

    def _scan(self, kind: str, schema: pl.Schema) -> pl.LazyFrame:
        files = [file for sha in self.known() for file in sorted((self.root / sha).glob(f"{kind}*.parquet"))]
        return pl.scan_parquet(files, glob=False) if files else pl.LazyFrame(schema=schema)

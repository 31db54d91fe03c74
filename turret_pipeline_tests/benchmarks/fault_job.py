"""A small job over all stores, called as functions, for tests of faults: seconds instead of the minute of a run."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from turret_pipeline.collector.event_store import Storage, Submission
from turret_pipeline.config.collector import CollectorSettings
from turret_pipeline.errors import FaultError
from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.ingest.canonical import CanonicalOptions, write_canonical
from turret_pipeline.ingest.part_damage import find_damaged_parts
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.ingest.values import extract_part_values, write_values
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.damage import find_damage, repair_all
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.topics.edits import Edits
from turret_pipeline.topics.embedding.embedding import Chunk
from turret_pipeline.topics.lifecycle.state import TopicState
from turret_pipeline_tests.ingest.imports import FILE_TIME, READ_AT, row

TABLES = ("events", "rejected_events", "source_files", "event_values", "identities", "scrubbed_values")
MODEL = "model"
ROWS = [
    json.dumps(row("e1", metadata={"plan": "free", "prompt": "Hi"})),
    json.dumps(row(None, metadata={"plan": "team"})),
    "{broken",
    json.dumps(row("e1", metadata={"plan": "pro"})),
]
BATCHES = (b'{"event":1}\n', b'{"event":2}\n{"event":3}\n')


def run_small_job(root: Path, source: Path) -> None:
    """Read the file, write tables, vectors, a topic state, an edit and a published file, and collect two batches."""
    data, ingestion = DataDir(root), Ingestion(READ_AT)
    with data.lock():
        repair_all(find_damage(data), SilentProgress().say)
        data.remove_leftovers("this run")
        parts = PartStore(data.parts)
        repair_all(find_damaged_parts(parts, lambda _: ParseOptions(FILE_TIME), ingestion), SilentProgress().say)
        parts.write_missing_checksums()
        for path in parts.new_files([source]):
            sum(parts.add(path, ParseOptions(FILE_TIME), ingestion))
        if parts.replays.fixed_lines().is_empty():
            parts.replays.record(parts.content_hashes()[0], [3], READ_AT)
        write_canonical(parts, data.lake, CanonicalOptions())
        sum(extract_part_values(parts))
        write_values(parts, data.lake, 2000)
        store = data.vectors(MODEL)
        if store.known_ids().is_empty():
            sum(store.add([Chunk(["a", "b"], np.eye(2, dtype=np.float32))]))
        if not data.topic_edits.read().all:
            data.topic_edits.add("lock", "prompt-1", "2026-01-01")
        data.topic_states.save(TopicState.empty(), TopicState.empty(), Edits(()), {"embedding_model": MODEL})
        _publish(data)
        data.topic_states.remove_all_but({data.topic_states.read_note()["topic_state_id"]})
    collect(root)


def _publish(data: DataDir) -> None:
    build = data.warehouse.build_path("this run")
    build.unlink(missing_ok=True)
    build.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(build)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.pipeline_runs as select 'run' as run_id, 1 as run_number, ? as topic_state_id",
            [data.topic_states.read_note()["topic_state_id"]],
        )
        connection.register("events", data.lake.read("events").to_arrow())
        connection.execute("create table marts.events as from events")
        connection.execute("checkpoint")
    data.warehouse.publish(build, 1, "run")


def collect(root: Path) -> None:
    """Store two batches that may have been sent before. Raises FaultError if one is not stored."""
    settings = CollectorSettings(data_dir=root, min_free_mb=0)
    storage = Storage(settings)
    try:
        for number, lines in enumerate(BATCHES):
            one = Submission("shop", (), 1, lambda _, lines=lines: lines, f"{number}".encode())  # type: ignore[misc]
            admitted = storage.admit([one])
            storage.write(admitted)
            storage.record_results([one], admitted)
            if one.error is not None:
                raise FaultError(str(one.error.message))
    finally:
        storage.close()


def read_results(root: Path) -> Mapping[str, Any]:
    """Everything that the job stored, without times of the run; lines that were collected twice count once."""
    data = DataDir(root)
    state_id = data.topic_states.read_note()["topic_state_id"]
    with data.warehouse.open() as connection:
        published = connection.execute("select event_id, event_name from marts.events order by all").fetchall()
    lines = [
        line for file in sorted(root.glob("projects/*/landing/*/*.jsonl")) for line in file.read_text().splitlines()
    ]
    return {
        **{table: data.lake.read(table).rows() for table in TABLES},
        "vectors": data.vectors(MODEL).vectors_of(data.vectors(MODEL).known_ids().sort()).tolist(),
        "state": (state_id, data.topic_states.read(state_id).topic_definitions.rows()),
        "edits": data.topic_edits.read().lines(),
        "published": published,
        "collected": sorted(set(lines)),
    }

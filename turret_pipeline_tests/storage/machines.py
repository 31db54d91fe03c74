"""Machines whose data folders share their files through an object store, for tests of storage."""

from pathlib import Path

import duckdb

from turret_pipeline.ingest.part_notes import INGEST_MERGES
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.list_merges import MERGES
from turret_pipeline.storage.object_store import Limits, open_object_store
from turret_pipeline.storage.remote_data import RemoteData

PART = "lake/parts/" + "a" * 64
OTHER_PART = "lake/parts/" + "b" * 64


def machine(folder: Path, url: str, limits: Limits | None = None) -> RemoteData:
    """The data folder of a machine that shares its files through the store."""
    data = DataDir(folder)
    with data.lock():
        pass
    store = open_object_store(url) if limits is None else open_object_store(url, limits)
    return RemoteData(data, store, SilentProgress(), {**MERGES, **INGEST_MERGES})


def write(remote: RemoteData, files: dict[str, str]) -> None:
    """Write files of a data folder."""
    for name, content in files.items():
        path = remote.data.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def read(remote: RemoteData) -> dict[str, str]:
    """The shared files of a data folder but the published one, whatever else is there."""
    root = remote.data.root
    found = {str(path.relative_to(root)): path for path in root.rglob("*") if path.is_file()}
    return {
        name: path.read_text(errors="replace")
        for name, path in sorted(found.items())
        if not any(part.startswith(".") for part in Path(name).parts)
        and Path(name).parts[0] not in {"warehouse", "format.json"}
    }


def publish(remote: RemoteData, number: int) -> None:
    """Publish a file of one run, with its topic state."""
    state = remote.data.root / "state" / f"state{number}"
    state.mkdir(parents=True)
    (state / "topics.parquet").write_text(f"topics of run {number}")
    build = remote.data.root / "warehouse" / "build-x.duckdb"
    build.parent.mkdir(exist_ok=True)
    with duckdb.connect(str(build)) as connection:
        connection.execute("create schema marts")
        connection.execute(
            "create table marts.pipeline_runs as select ? as run_number, ? as run_id, ? as topic_state_id",
            [number, f"run{number}", state.name],
        )
    remote.data.warehouse.publish(build, number, f"run{number}")
    remote.data.topic_states.remove_all_but({state.name})


FIRST = {
    f"{PART}/events-00000.parquet": "events",
    f"{PART}/file.parquet": "file",
    "lake/parts/seen.jsonl": '\n["/in/a 1 1", "aa"]',
    "lake/embeddings/model/prepared-1/one.parquet": "vectors",
    "lake/llm_names/answer.json": "{}",
    "field_types.jsonl": '{"field": "plan", "type": "enum"}\n',
}


def make_pair(folder: Path) -> tuple[RemoteData, RemoteData]:
    """Two machines that have the same files, of one commit, with their store in a folder."""
    one, two = machine(folder / "one", str(folder / "store")), machine(folder / "two", str(folder / "store"))
    write(one, FIRST)
    publish(one, 1)
    assert not one.pull()
    assert one.commit("run1", is_final=True)
    assert two.pull()
    return one, two

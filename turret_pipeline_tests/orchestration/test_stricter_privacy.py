"""A byte search of the whole data folder after privacy settings became stricter."""

import json
import shutil
from pathlib import Path

import duckdb
import polars as pl
import pytest

from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.commands import run_job


def read_content(file: Path) -> bytes:
    """The bytes of a file; of a table its rows as well, because they are compressed."""
    found = file.read_bytes()
    if file.suffix == ".parquet":
        found += pl.read_parquet(file, glob=False).write_json().encode()
    elif file.suffix == ".duckdb":
        with duckdb.connect(str(file), read_only=True) as connection:
            names = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
            found += "".join(connection.sql(f"from {name}").pl().write_json() for (name,) in names).encode()
    return found


@pytest.mark.slow
def test_no_id_stays_in_the_data_folder_when_a_salt_is_set_later(small_job: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(small_job, tmp_path / "data")
    lines = [json.loads(line) for line in (folder / "landing" / "a.jsonl").read_text().splitlines()]
    users = {line["user_id"] for line in lines if line.get("user_id")}
    assert users
    run_job(folder, extra={"TURRET_USER_ID_SALT": "a long salt"})
    with DataDir(folder).warehouse.open() as connection:
        count = connection.sql("select count(distinct user_id) from marts.events").pl().item()
    assert count == len(users)
    found = {
        (user, str(file.relative_to(folder)))
        for file in folder.rglob("*")
        if file.is_file()
        and not {"landing", "dbt"} & {*file.parts}  # dbt/ holds the project, with examples of its tests
        for content in [read_content(file)]
        for user in users
        if f'"{user}"'.encode() in content
    }
    assert found == set()

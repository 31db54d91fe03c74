"""The published tables in a catalog of Iceberg: equal rows, a snapshot for each change, and none for anything else."""

import os
import stat
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow.parquet as pq
import pytest
from pyiceberg.catalog import Catalog
from pyiceberg.table import Table as IcebergTable

from turret_pipeline.errors import TurretError
from turret_pipeline.private_files import keeping_files_private
from turret_pipeline.reports import iceberg
from turret_pipeline.reports.iceberg import export_tables, open_catalog
from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.tables import EVENTS, MART_TABLES, PIPELINE_RUNS, TOPIC_DAYS, TOPICS, Table
from turret_pipeline_tests.commands import open_published, turret
from turret_pipeline_tests.reports.literal_tables import LiteralTables, at

Rows = Mapping[Table, Sequence[Mapping[str, Any]]]

ROWS: Rows = {
    EVENTS: [
        {
            "event_id": "é-1",
            "event_at": at(0.5),
            "line_number": 2**40,
            "is_time_ahead": True,
            "metadata": '{"ü": "→ 猫"}',
        },
        {"event_id": "", "event_at": at(-60), "user_id": None, "is_time_ahead": False},
    ],
    TOPICS: [
        {"topic_id": "prompt-1", "label": "Refunds", "keywords": ["zurück", None, ""], "cohesion": 0.25},
        {"topic_id": "prompt-2", "label": None, "keywords": [], "cohesion": float("inf"), "first_event_at": at(1)},
        {"topic_id": "prompt-3", "label": "猫", "keywords": None, "event_count": 3},
    ],
    TOPIC_DAYS: [{"topic_id": "prompt-1", "event_date": at(0).date(), "event_count": 2}],
    PIPELINE_RUNS: [{"run_number": 3}, {"run_number": 4}],
}


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    return open_catalog(str(tmp_path / "exported tables é"), None)


@pytest.fixture(autouse=True)
def few_tables(monkeypatch: pytest.MonkeyPatch) -> dict[str, Table]:
    """Only the tables with rows are exported."""
    tables = {table.name: table for table in ROWS}
    monkeypatch.setattr(iceberg, "MART_TABLES", tables)
    return tables


@pytest.fixture(autouse=True)
def _plan_without_plugin(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLARS_ICEBERG_PLANNER", "pyiceberg")  # else polars warns that a faster library exists


def export(catalog: Catalog, rows: Rows, namespace: str = "turret") -> list[str]:
    """Export literal rows, and return the names of the changed tables."""
    done = list(export_tables(LiteralTables(rows), catalog, namespace))
    assert {name: count for name, count, _ in done} == {
        name: len(rows.get(MART_TABLES[name], ())) for name, _, _ in done
    }
    return [name for name, _, is_changed in done if is_changed]


def load(catalog: Catalog, table: Table) -> IcebergTable:
    return catalog.load_table(f"turret.{table.name}")


def read(catalog: Catalog, table: Table, snapshot_id: int | None = None) -> pl.DataFrame:
    """Rows as pyiceberg reads them."""
    frame = pl.from_arrow(load(catalog, table).scan(snapshot_id=snapshot_id).to_arrow())
    assert isinstance(frame, pl.DataFrame)
    return frame


def make_frame(table: Table, rows: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in table.schema} for row in rows], table.schema)


def with_label(label: str) -> Rows:
    return {**ROWS, TOPICS: [{**ROWS[TOPICS][0], "label": label}, *ROWS[TOPICS][1:]]}


def list_data_files(catalog: Catalog, table: Table) -> set[Path]:
    return set(Path(load(catalog, table).location().removeprefix("file://")).glob("data/*"))


def test_all_tables_have_the_published_rows_and_types_in_order(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iceberg, "MART_TABLES", MART_TABLES)
    assert export(catalog, ROWS)[-1] == "pipeline_runs"
    assert {name for _, name in catalog.list_tables("turret")} == set(MART_TABLES)
    for table in MART_TABLES.values():
        wanted = make_frame(table, ROWS.get(table, ()))
        assert read(catalog, table).equals(wanted), table.name
        assert read(catalog, table).schema == table.schema
        assert pl.scan_iceberg(load(catalog, table)).collect().equals(wanted), table.name


def test_a_table_and_its_columns_carry_their_descriptions(catalog: Catalog) -> None:
    export(catalog, ROWS)
    table = load(catalog, TOPICS)
    assert table.properties["comment"] == TOPICS.grain
    assert {field.name: field.doc for field in table.schema().fields} == {
        one.name: one.meaning for one in TOPICS.columns
    }
    types = {field.name: str(field.field_type) for field in table.schema().fields}
    assert (types["first_event_at"], types["keywords"], types["event_count"]) == ("timestamptz", "list<string>", "long")


def test_an_export_without_changes_adds_no_snapshot_and_writes_no_file(catalog: Catalog, tmp_path: Path) -> None:
    assert len(export(catalog, ROWS)) == len(ROWS)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert export(catalog, ROWS) == []
    assert export(catalog, {**ROWS, TOPICS: ROWS[TOPICS][::-1]}) == [], "The order of rows is no content."
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()} == before


@pytest.mark.parametrize("label", ["Money back", "", None])
def test_a_change_adds_one_snapshot_and_the_old_rows_can_still_be_read(catalog: Catalog, label: str) -> None:
    export(catalog, ROWS)
    first = load(catalog, TOPICS).current_snapshot()
    assert export(catalog, with_label(label)) == ["topics"]
    old, new = load(catalog, TOPICS).snapshots()
    assert first is not None
    assert (old.snapshot_id, new.parent_snapshot_id) == (first.snapshot_id, first.snapshot_id)
    assert new.summary is not None
    assert new.summary["turret.run-number"] == "4"
    assert new.summary["total-records"] == "3"
    assert read(catalog, TOPICS)["label"].to_list() == [label, None, "猫"]
    assert read(catalog, TOPICS, old.snapshot_id).equals(make_frame(TOPICS, ROWS[TOPICS]))


def test_a_table_whose_rows_are_all_gone_is_empty(catalog: Catalog) -> None:
    export(catalog, ROWS)
    assert export(catalog, {**ROWS, TOPICS: []}) == ["topics"]
    assert read(catalog, TOPICS).is_empty()


def test_rows_of_another_program_are_replaced(catalog: Catalog) -> None:
    export(catalog, ROWS)
    load(catalog, TOPICS).append(load(catalog, TOPICS).scan().to_arrow())
    assert read(catalog, TOPICS).height == 6
    assert export(catalog, ROWS) == ["topics"]
    assert read(catalog, TOPICS).equals(make_frame(TOPICS, ROWS[TOPICS]))


def test_columns_are_added_and_dropped_and_old_snapshots_keep_theirs(
    catalog: Catalog, few_tables: dict[str, Table]
) -> None:
    published = LiteralTables(ROWS)
    without = replace(TOPICS, columns=tuple(one for one in TOPICS.columns if one.name not in {"label", "keywords"}))
    for contract in (without, replace(TOPICS, grain="One row per topic."), without):
        few_tables["topics"] = contract
        changed = [name for name, _, is_changed in export_tables(published, catalog, "turret") if is_changed]
        assert "topics" in changed
        wanted = make_frame(TOPICS, ROWS[TOPICS]).select(contract.schema.names())
        assert read(catalog, TOPICS).select(contract.schema.names()).equals(wanted)
        assert set(read(catalog, TOPICS).columns) == set(contract.schema)
        assert load(catalog, TOPICS).properties["comment"] == contract.grain
    second = load(catalog, TOPICS).snapshots()[1].snapshot_id
    assert read(catalog, TOPICS, second)["label"].to_list() == ["Refunds", None, "猫"]


def test_a_column_of_another_type_is_explained(catalog: Catalog, few_tables: dict[str, Table]) -> None:
    export(catalog, ROWS)
    columns = tuple(replace(one, kind="text" if one.name == "event_count" else one.kind) for one in TOPICS.columns)
    published = LiteralTables(ROWS)
    few_tables["topics"] = replace(TOPICS, columns=columns)
    with pytest.raises(TurretError, match=r"^turret.topics has other columns \(.*event_count.*\): drop it, or choose"):
        list(export_tables(published, catalog, "turret"))
    assert read(catalog, TOPICS).equals(make_frame(TOPICS, ROWS[TOPICS]))


def test_a_large_table_is_written_in_batches_to_several_files(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iceberg, "ROWS_AT_ONCE", 2048)
    monkeypatch.setattr(iceberg, "ROWS_PER_FILE", 4096)
    rows = [{"event_id": f"e{number}", "line_number": number} for number in range(10_000)]
    export(catalog, {EVENTS: rows})
    assert len(list_data_files(catalog, EVENTS)) == 3
    assert read(catalog, EVENTS).equals(make_frame(EVENTS, rows))


def test_an_error_in_mid_write_leaves_the_old_rows_and_no_files(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(iceberg, "ROWS_AT_ONCE", 2048)
    monkeypatch.setattr(iceberg, "ROWS_PER_FILE", 2048)
    rows = [{"event_id": f"e{number}"} for number in range(10_000)]
    export(catalog, {EVENTS: rows})
    snapshots, files = load(catalog, EVENTS).snapshots(), list_data_files(catalog, EVENTS)
    batches = iter(range(3))

    class FullDisk(pq.ParquetWriter):  # type: ignore[misc]
        def write_table(self, *arguments: object) -> None:
            if next(batches, None) is None:
                raise OSError(28, "No space left on device")
            super().write_table(*arguments)

    monkeypatch.setattr(pq, "ParquetWriter", FullDisk)
    with pytest.raises(TurretError, match=r"^Cannot write turret.events: No space left on device. Make the target"):
        export(catalog, {EVENTS: rows[::-1][1:]})
    assert load(catalog, EVENTS).snapshots() == snapshots
    assert list_data_files(catalog, EVENTS) == files
    assert read(catalog, EVENTS).equals(make_frame(EVENTS, rows))


@pytest.mark.parametrize("is_first", [True, False])
def test_of_two_exports_at_once_one_wins_and_no_row_is_there_twice(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, is_first: bool
) -> None:
    if not is_first:
        export(catalog, ROWS)
    replace_rows = iceberg._replace_rows

    def replace_later(table: IcebergTable, *arguments: Any) -> None:  # noqa: ANN401
        monkeypatch.setattr(iceberg, "_replace_rows", replace_rows)
        export(catalog, with_label("the other"))
        replace_rows(table, *arguments)

    monkeypatch.setattr(iceberg, "_replace_rows", replace_later)
    with pytest.raises(TurretError, match="meanwhile: run the same command again"):
        export(catalog, with_label("this one"))
    assert read(catalog, TOPICS)["label"].to_list() == ["the other", None, "猫"]
    assert read(catalog, EVENTS).height == 2


def test_others_can_read_the_files_if_the_umask_says_so(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        with keeping_files_private():
            export(open_catalog(str(tmp_path / "open"), None), ROWS)
            (tmp_path / "private").touch()
    finally:
        os.umask(before)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "open").rglob("*")}
    assert modes <= {0o755, 0o644}
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("folder", "name", "message"),
    [
        (None, None, "Choose one target"),
        ("exported", "prod", "Choose one target"),
        ("s3://bucket/tables", None, "'s3://bucket/tables' cannot hold a catalog: name a folder .* by --catalog"),
        ("100%", None, "'100%' cannot hold a catalog"),
        ("what?", None, "cannot hold a catalog"),
        ("a\nb", None, "cannot hold a catalog"),
        ("file/exported", None, "Cannot write file/exported: (Not a directory|File exists). Make the target writable"),
        ("unopened", None, "Cannot write unopened: unable to open database file"),
        (None, "unknown-catalog", "Unknown catalog 'unknown-catalog': describe it in .pyiceberg.yaml"),
    ],
)
def test_a_target_that_cannot_be_used_is_explained(
    folder: str | None, name: str | None, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    (tmp_path / "unopened" / "catalog.db").mkdir(parents=True)
    with pytest.raises(TurretError, match=message):
        open_catalog(folder, name)


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyiceberg.catalog", None)
    with pytest.raises(
        TurretError, match=r"not installed \(.*pyiceberg.*\). Install it: pip install 'turret-pipeline\[iceberg\]'"
    ):
        open_catalog("exported", None)


def test_a_namespace_that_engines_could_not_name_is_explained(catalog: Catalog) -> None:
    with pytest.raises(TurretError, match=r"^Invalid namespace '\.\./other': use letters, digits and _"):
        export(catalog, ROWS, "../other")
    assert export(catalog, ROWS, "projects.assistant_2") == [table.name for table in ROWS]


def test_without_a_published_file_nothing_is_made(catalog: Catalog, tmp_path: Path) -> None:
    with pytest.raises(TurretError, match=r"No data folder at .*/data yet: run turret run --data-dir"):
        list(export_tables(PublishedTables(DataDir(tmp_path / "data"), 1), catalog, "turret"))
    assert catalog.list_namespaces() == []


def test_the_command_exports_the_published_tables_to_a_folder_or_to_a_catalog(small_job: Path, tmp_path: Path) -> None:
    folder = tmp_path / "exported"
    for changed in (r"[1-9]\d* changed, with [\d,]+ rows", "0 changed, with 0 rows"):
        done = turret("export", "iceberg", folder, "--data-dir", small_job)
        assert done.returncode == 0, done.stderr
        assert pl.Series([done.stdout]).str.contains(f"^Exported {len(MART_TABLES)} tables to .*: {changed}").all()
    with open_published(small_job) as connection:
        events: pl.DataFrame = connection.sql("select * from marts.events").pl()
        topics: pl.DataFrame = connection.sql("select * from marts.topics").pl()
    exported = open_catalog(str(folder), None)
    assert read(exported, EVENTS).equals(events)
    assert read(exported, TOPICS).equals(topics)

    settings = {"URI": f"sqlite:///{tmp_path}/other.db", "WAREHOUSE": f"file://{tmp_path}/other"}
    extra = {f"PYICEBERG_CATALOG__PROD__{name}": value for name, value in settings.items()}
    command = ("export", "iceberg", "--catalog", "prod", "--namespace", "assistant", "--data-dir", small_job)
    done = turret(*command, extra=extra)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "other" / "assistant").iterdir())) == len(MART_TABLES)
    done = turret(*command, extra={"PYICEBERG_CATALOG__PROD__URI": "http://name:secret@127.0.0.1:9"})
    assert (done.returncode, done.stdout) == (2, "")
    assert "Cannot open the catalog 'prod' (ConnectionError): check its settings" in done.stderr
    assert "secret" not in done.stderr

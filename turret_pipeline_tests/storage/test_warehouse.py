"""The published file: opened by generation while runs publish, on any file system, with runs in order."""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import duckdb
import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.storage.warehouse import Warehouse, open_read_only

EVENTS = "select max(event_id) from marts.events"


def publish(warehouse: Warehouse, number: int) -> None:
    """Publish a file whose only event is called by the number of the run."""
    build = warehouse.build_path(f"run-{number}")
    build.parent.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(build)) as connection:
        connection.execute("create schema marts")
        connection.execute(f"create table marts.events as select {number} as event_id")
        connection.execute(
            f"create table marts.pipeline_runs as select 'run-{number}' as run_id, {number} as run_number"
        )
    warehouse.publish(build, number, f"{number:08}")


def read(connection: duckdb.DuckDBPyConnection) -> int:
    return int(connection.execute(EVENTS).fetchall()[0][0])


def read_anew(warehouse: Warehouse) -> int:
    with warehouse.open() as connection:
        return read(connection)


@pytest.fixture
def warehouse(tmp_path: Path) -> Warehouse:
    found = Warehouse(tmp_path / "warehouse")
    publish(found, 1)
    return found


def test_readers_keep_their_file_and_see_the_new_one_when_they_reopen(warehouse: Warehouse) -> None:
    with ExitStack() as held:
        readers = []
        for number in range(2, 6):
            readers.append(held.enter_context(warehouse.open()))
            publish(warehouse, number)
            warehouse.remove_superseded("next run")
            assert read_anew(warehouse) == number
        assert [read(reader) for reader in readers] == [1, 2, 3, 4]


def test_any_client_opens_the_published_file_by_its_own_name(warehouse: Warehouse) -> None:
    assert warehouse.published.is_file()
    assert not warehouse.published.is_symlink()
    with duckdb.connect(str(warehouse.published), read_only=True) as connection:
        assert read(connection) == 1


@pytest.mark.slow
def test_many_threads_read_while_runs_publish(warehouse: Warehouse) -> None:
    seen: list[list[int]] = [[] for _ in range(4)]
    failures: list[BaseException] = []
    stop = threading.Event()

    def keep_reading(found: list[int]) -> None:
        try:
            while not stop.is_set():
                found.append(read_anew(warehouse))
        except BaseException as error:  # noqa: BLE001 - raised again by the test
            failures.append(error)

    threads = [threading.Thread(target=keep_reading, args=(found,)) for found in seen]
    for thread in threads:
        thread.start()
    for number in range(2, 12):
        publish(warehouse, number)
        warehouse.remove_superseded("next run")
    stop.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert all(found == sorted(found) and found for found in seen)
    assert read_anew(warehouse) == 11


def test_only_the_published_generation_stays_after_the_next_run_begins(warehouse: Warehouse) -> None:
    publish(warehouse, 2)
    assert len(list((warehouse.folder / "generations").iterdir())) == 2
    warehouse.build_path("killed").touch()
    warehouse.build_path("mine").touch()
    warehouse.remove_superseded("mine")
    assert [file.name for file in (warehouse.folder / "generations").iterdir()] == ["000002-00000002.duckdb"]
    assert [file.name for file in warehouse.folder.glob("build-*")] == ["build-mine.duckdb"]
    assert read_anew(warehouse) == 2


def test_a_file_system_without_hard_links_gets_copies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no hard links here")

    monkeypatch.setattr(os, "link", refuse)
    warehouse = Warehouse(tmp_path)
    publish(warehouse, 1)
    with warehouse.open() as held:
        publish(warehouse, 2)
        assert read_anew(warehouse) == 2
        assert read(held) == 1
    assert warehouse.published.stat().st_nlink == 1


def test_a_restored_backup_is_what_is_read(warehouse: Warehouse) -> None:
    backup = warehouse.published.read_bytes()
    publish(warehouse, 2)
    warehouse.published.unlink()
    warehouse.published.write_bytes(backup)
    assert read_anew(warehouse) == 1


@contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    """Fails if anything below a folder is created, removed or changed, even for a moment."""

    def look() -> dict[Path, int]:
        return {path: path.stat().st_mtime_ns for path in (folder, *folder.rglob("*"))}

    before = look()
    yield
    assert look() == before


def test_reading_writes_nothing(warehouse: Warehouse) -> None:
    with unchanged(warehouse.folder):
        assert read_anew(warehouse) == 1
        assert warehouse.last_run() == {"run_id": "run-1", "run_number": 1}


def test_a_file_that_is_open_to_write_elsewhere_is_read_from_a_private_copy(warehouse: Warehouse) -> None:
    held = duckdb.connect(str(warehouse.published))
    try:
        with unchanged(warehouse.folder), open_read_only(warehouse.published) as connection:
            assert read(connection) == 1
    finally:
        held.close()


def test_a_missing_file_is_an_error_and_is_not_created(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_read_only(tmp_path / "x.duckdb"):
        pass
    with pytest.raises(FileNotFoundError), Warehouse(tmp_path).open():
        pass
    assert list(tmp_path.iterdir()) == []
    assert Warehouse(tmp_path).runs() is None
    assert Warehouse(tmp_path).last_run() is None


def test_a_damaged_file_is_named_with_the_remedy(tmp_path: Path) -> None:
    (tmp_path / "turret.duckdb").write_bytes(b"x" * 20_000)
    with pytest.raises(TurretError, match=r"^Cannot open .*turret\.duckdb: .* Restore it from a backup, or remove it"):
        Warehouse(tmp_path).runs()


@pytest.mark.slow
def test_a_large_query_spills_outside_the_warehouse(warehouse: Warehouse) -> None:
    with unchanged(warehouse.folder), warehouse.open() as connection:
        connection.execute("set memory_limit = '60MB'")
        connection.execute("set threads = 1")
        large = "select range, hash(range) as h, repeat('x', 20) || range as text from range(3000000)"
        assert connection.execute(f"select count(*) from ({large} order by h, text)").fetchall() == [(3_000_000,)]


@pytest.mark.parametrize(("gibibytes", "limit"), [(64, "3.0 GiB"), (1, "819.0 MiB")])
def test_the_published_file_takes_a_part_of_the_memory(
    gibibytes: int, limit: str, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes = {"SC_PAGE_SIZE": 4096, "SC_PHYS_PAGES": gibibytes * 2**30 // 4096}
    monkeypatch.setattr(os, "sysconf", sizes.__getitem__)
    with warehouse.open() as connection:
        assert connection.execute("select current_setting('memory_limit')").fetchall() == [(limit,)]

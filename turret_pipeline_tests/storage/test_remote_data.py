"""Data folders that share their files through an object store."""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.progress import SilentProgress
from turret_pipeline.storage.data_dir import FORMAT_VERSION, DataDir
from turret_pipeline.storage.object_store import CHUNK_BYTES, Limits, ObjectStore, open_object_store
from turret_pipeline.storage.remote_data import PUBLISHED_COPY, RemoteData, open_remote_data
from turret_pipeline.storage.store_commits import Commit, StoredFile, name_commit
from turret_pipeline_tests.object_server import KEYS, ObjectServer, Proxy
from turret_pipeline_tests.storage.machines import FIRST, OTHER_PART, PART, machine, make_pair, publish, read, write


@pytest.fixture
def pair(tmp_path: Path) -> tuple[RemoteData, RemoteData]:
    """Two machines that have the same files, of one commit."""
    return make_pair(tmp_path)


@pytest.fixture
def s3_url(s3_variables: dict[str, str], tmp_path: Path) -> str:
    """An empty store on SeaweedFS."""
    assert s3_variables
    return f"s3://tests/{tmp_path.name}"


def test_an_empty_folder_takes_over_everything_that_is_shared_and_nothing_else(tmp_path: Path, s3_url: str) -> None:
    one, two = machine(tmp_path / "one", s3_url), machine(tmp_path / "two", s3_url)
    own = {
        "lake/events.parquet": "a table",
        "landing/a.jsonl": "{}",
        f"lake/parts/.{'c' * 64}.tmp/events.parquet": "left",
        "state/unpublished/topics.parquet": "of no file",
        "dashboard/secret": "secret",
        "forgotten/pending.jsonl": "",
    }
    write(one, FIRST | own)
    publish(one, 1)
    write(one, {"state/unpublished/topics.parquet": "of no file"})
    assert one.commit("run1", is_final=True)
    assert two.pull()
    assert read(two) == FIRST | {"state/state1/topics.parquet": "topics of run 1"}
    last = two.data.warehouse.last_run()
    assert last is not None
    assert last["run_id"] == "run1"
    assert [path.name for path in two.data.warehouse.list_generations()] == ["000001-run1.duckdb"]
    assert two.store.read(PUBLISHED_COPY) == two.data.warehouse.published.read_bytes()
    assert not two.pull()
    assert not two.commit("run2", is_final=True)


def test_a_run_with_nothing_new_sends_one_request(tmp_path: Path, proxy: Proxy) -> None:
    url = f"s3://tests/{tmp_path.name}"
    one = machine(tmp_path / "one", url)
    write(one, FIRST)
    one.commit("run1", is_final=True)
    machine(tmp_path / "one", url).pull()  # reads the commit again, to note its version
    proxy.requests.clear()
    for _ in range(2):
        again = machine(tmp_path / "one", url)
        assert not again.pull()
        assert not again.commit("run2", is_final=True)
    assert [one.split("?")[0] for one in proxy.requests] == ["GET /tests"] * 2


def test_each_machine_continues_from_the_other(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    write(two, {f"{OTHER_PART}/file.parquet": "second file"})
    publish(two, 2)
    assert two.commit("run2", is_final=True)
    assert one.pull()
    assert read(one) == read(two)
    assert "state/state1/topics.parquet" not in read(one)
    last = one.data.warehouse.last_run()
    assert last is not None
    assert last["run_number"] == 2


def test_of_two_machines_that_commit_one_is_told_to_run_again_and_loses_nothing(
    pair: tuple[RemoteData, RemoteData],
) -> None:
    one, two = pair
    write(one, {f"{OTHER_PART}/file.parquet": "of one"})
    write(two, {"lake/embeddings/model/two.parquet": "of two"})
    assert one.commit("run2")
    with pytest.raises(TurretError, match=r"Another run committed to .* meanwhile: run again. Nothing is lost."):
        two.commit("run3")
    assert two.pull()
    assert two.commit("run3")
    assert one.pull()
    assert read(one) == read(two)
    assert read(one)[f"{OTHER_PART}/file.parquet"] == "of one"
    assert read(one)["lake/embeddings/model/two.parquet"] == "of two"


def test_parts_that_both_changed_are_those_of_the_store_as_a_whole(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    write(one, {f"{PART}/file.parquet": "of one", f"{PART}/values-00000.parquet": "values of one"})
    write(two, {f"{PART}/events-00000.parquet": "of two"})
    one.commit("run2")
    two.pull()
    assert read(two) == read(one)


def test_removed_files_are_removed_everywhere_and_their_contents_deleted(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    write(one, {f"{PART}/events-00000.parquet": "events without those of a person"})
    (one.data.root / "lake/embeddings/model/prepared-1/one.parquet").unlink()
    one.commit("run2", is_final=True)
    two.pull()
    assert read(two) == read(one)
    contents = {two.store.read(name) for name in two.store.list_names("objects")}
    assert b"events" not in contents
    assert b"vectors" not in contents
    assert b"events without those of a person" in contents
    assert two.store.read(name_commit(1)) == b""


def test_what_a_killed_run_uploaded_is_deleted_and_never_what_a_later_run_uploads(
    pair: tuple[RemoteData, RemoteData], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    write(two, {f"{OTHER_PART}/file.parquet": "uploaded by two"})
    with monkeypatch.context() as patched:
        patched.setattr("turret_pipeline.storage.remote_data.RemoteData._add_commit", _be_killed)
        with pytest.raises(_KilledError):
            two.commit("run2")
    before = set(one.store.list_names("objects"))
    write(one, {"lake/llm_names/new.json": "{1}"})
    one.commit("run3", is_final=True)
    after = set(one.store.list_names("objects"))
    assert [one.store.read(name) for name in after - before] == [b"{1}"]
    assert len(before - after) == 1  # what two uploaded for a number that is taken
    two.pull()
    two.commit("run2", is_final=True)
    one.pull()
    assert read(one) == read(two)
    assert read(one)[f"{OTHER_PART}/file.parquet"] == "uploaded by two"


def test_a_pull_that_another_commit_overtakes_takes_the_later_one(
    pair: tuple[RemoteData, RemoteData], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = pair
    name = f"{OTHER_PART}/file.parquet"
    write(one, {name: "second"})
    one.commit("run2", is_final=True)
    download, overtaken = ObjectStore.download, list[bool]()

    def overtake(store: ObjectStore, source: str, path: Path) -> None:
        if not overtaken:
            overtaken.append(True)
            write(one, {name: "third"})
            one.commit("run3", is_final=True)
        download(store, source, path)

    monkeypatch.setattr(ObjectStore, "download", overtake)
    assert two.pull()
    assert overtaken
    assert read(two)[name] == "third"


class _KilledError(BaseException):
    """A kill at one place."""


def _be_killed(*_: object, **__: object) -> NoReturn:
    raise _KilledError


@pytest.mark.parametrize("step", ["put_new", "put", "copy", "remove", "list_names", "download"])
@pytest.mark.parametrize("calls", [0, 1, 3])
def test_a_kill_at_any_request_loses_nothing(
    pair: tuple[RemoteData, RemoteData], monkeypatch: pytest.MonkeyPatch, step: str, calls: int
) -> None:
    one, two = pair
    added = {f"{OTHER_PART}/{name}.parquet": name for name in ("events-00000", "file")}
    write(one, {**added, f"{PART}/file.parquet": "changed", "lake/llm_names/b.json": "b"})
    (one.data.root / "lake/llm_names/answer.json").unlink()
    publish(one, 2)
    left = [calls]

    def kill_later(store: ObjectStore, *arguments: object, **options: object) -> object:
        left[0] -= 1
        if left[0] < 0:
            raise _KilledError
        return original(store, *arguments, **options)

    original: Callable[..., object] = getattr(ObjectStore, step)
    with monkeypatch.context() as patched:
        patched.setattr(ObjectStore, step, kill_later)
        acts: list[Callable[[], object]] = [lambda: one.commit("run2", is_final=True), two.pull]
        for act in acts:
            try:
                act()
            except _KilledError:
                left[0] = 1000
    expected = read(one)
    one.pull()
    one.commit("run3", is_final=True)
    two.pull()
    assert read(one) == read(two) == expected
    assert two.data.warehouse.published.read_bytes() == one.data.warehouse.published.read_bytes()
    contents = [one.store.read(name) for name in one.store.list_names("objects")]
    assert b"{}" not in contents  # the content of the file that was removed
    with two.data.lock():
        two.data.remove_leftovers("none")
    assert not list(two.data.root.rglob(".*.tmp"))


def test_an_emptied_folder_takes_everything_from_the_store(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    for path in (two.data.root / "lake").rglob("*"):
        if path.is_file():
            path.unlink()
    write(one, {"lake/llm_names/new.json": "new"})
    one.commit("run2")
    two.pull()
    assert read(two) == read(one)


def test_a_folder_fills_a_store_that_was_emptied(pair: tuple[RemoteData, RemoteData], tmp_path: Path) -> None:
    one, _ = pair
    one.store.remove(one.store.list_names())
    assert not one.pull()
    assert one.commit("run2", is_final=True)
    third = machine(tmp_path / "third", one.store.url)
    third.pull()
    assert read(third) == read(one)


def test_another_store_with_as_many_commits_is_noticed(pair: tuple[RemoteData, RemoteData], tmp_path: Path) -> None:
    one, two = pair
    one.store.remove(one.store.list_names())
    stranger = machine(tmp_path / "stranger", one.store.url)
    write(stranger, {"lake/llm_names/other.json": "other"})
    stranger.commit("run1", is_final=True)
    two.pull()
    assert read(two) == read(one) | {"lake/llm_names/other.json": "other"}
    two.commit("run2", is_final=True)
    stranger.pull()
    assert read(stranger) == read(two)


def test_files_of_a_newer_format_are_rejected(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    newer = Commit(2, {}, "other", package_version="9.9", format_version=FORMAT_VERSION + 1, token="t")
    assert one.store.put_new(name_commit(2), newer.to_json())
    before = read(two)
    with pytest.raises(TurretError, match=r"Install turret-pipeline 9.9 or later"):
        two.pull()
    assert read(two) == before


@pytest.mark.parametrize("path", ["../x.jsonl", "/etc/x", "lake/../../x", "landing/a.jsonl", "dashboard/x", ".x.jsonl"])
def test_a_commit_that_names_other_files_is_rejected(pair: tuple[RemoteData, RemoteData], path: str) -> None:
    one, two = pair
    stored = StoredFile("0" * 64, 1, 1)
    assert one.store.put_new(name_commit(2), Commit(2, {path: stored}, token="t").to_json())
    with pytest.raises(FaultError, match=r"The commit commits/000000000002.json .* is damaged"):
        two.pull()


def test_a_damaged_object_is_named_and_not_taken(pair: tuple[RemoteData, RemoteData]) -> None:
    one, two = pair
    write(one, {f"{OTHER_PART}/file.parquet": "good"})
    one.commit("run2")
    name = next(name for name in one.store.list_names("objects") if one.store.read(name) == b"good")
    one.store.put(name, b"bad")
    with pytest.raises(FaultError, match=r"The object objects/.* is damaged"):
        two.pull()
    assert f"{OTHER_PART}/file.parquet" not in read(two)


def test_a_file_is_hashed_once(pair: tuple[RemoteData, RemoteData], monkeypatch: pytest.MonkeyPatch) -> None:
    one, _ = pair
    hashed: list[Path] = []
    monkeypatch.setattr(
        "turret_pipeline.storage.shared_files.hash_file", lambda path: [*map(hashed.append, [path])] and ""
    )
    one.pull()
    assert not one.commit("run2")
    assert hashed == []


def test_an_outage_stops_a_commit_and_the_next_one_completes_it(tmp_path: Path, proxy: Proxy) -> None:
    url = f"s3://tests/{tmp_path.name}"
    one = machine(tmp_path / "one", url, Limits(10, 1))
    write(one, FIRST)
    (one.data.root / PART / "events-00001.parquet").write_bytes(os.urandom(3 * CHUNK_BYTES))
    proxy.cut_after = 2 * CHUNK_BYTES
    started = time.monotonic()
    with pytest.raises(FaultError, match="cannot be reached"):
        one.commit("run1", is_final=True)
    assert time.monotonic() - started < 30
    proxy.is_down, proxy.cut_after = False, None
    assert one.store.list_names("commits") == []
    assert one.commit("run1", is_final=True)
    two = machine(tmp_path / "two", url, Limits(10, 1))
    proxy.cut_after = 2 * CHUNK_BYTES
    with pytest.raises(FaultError, match="cannot be reached"):
        two.pull()
    assert not (two.data.root / PART).exists()
    proxy.is_down, proxy.cut_after = False, None
    two.pull()
    assert read(two) == read(one)


def fill_bucket(name: str) -> None:
    """Store objects until the server takes no more. Raises FaultError then."""
    store = open_object_store(f"s3://{name}", Limits(6, 2))
    for number in range(50):
        store.put(f"{number}", os.urandom(1 << 20))


def test_a_full_store_is_named_and_the_commit_succeeds_once_it_has_space(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = ObjectServer(tmp_path / "server", volume_count=7, volume_megabytes=1).start()
    try:
        for name, value in {**KEYS, "AWS_ENDPOINT_URL": server.endpoint}.items():
            monkeypatch.setenv(name, value)
        with pytest.raises(FaultError, match="It may be full, overloaded or restarting: check its log"):
            fill_bucket("filler")
        one = machine(tmp_path / "one", "s3://full", Limits(5, 2))
        write(one, FIRST)
        (one.data.root / PART / "events-00001.parquet").write_bytes(os.urandom(1 << 20))
        with pytest.raises(FaultError, match=r"s3://full .* It may be full"):
            one.commit("run1")
        server.delete_bucket("filler")
        again = machine(tmp_path / "one", "s3://full", Limits(5, 20))
        assert again.commit("run1", is_final=True)
        two = machine(tmp_path / "two", "s3://full")
        two.pull()
        assert read(two) == read(one)
    finally:
        server.remove()


def test_no_setting_needs_no_library_and_a_missing_one_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    data = DataDir(tmp_path)
    assert open_remote_data("", data, SilentProgress()) is None
    with pytest.raises(TurretError, match=r"pip install 'turret-pipeline\[s3\]'"):
        open_remote_data("s3://bucket", data, SilentProgress())

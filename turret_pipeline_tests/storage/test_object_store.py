"""The client of object stores, against SeaweedFS and against a folder."""

import os
import pickle
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.storage.object_store import CHUNK_BYTES, Limits, ObjectStore, open_object_store
from turret_pipeline_tests.object_server import READER_KEYS, ObjectServer, Proxy

BRIEF = Limits(request=1, repetition=1)


@pytest.fixture(params=["s3", "folder"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> ObjectStore:
    """An empty store of each kind."""
    if request.param == "folder":
        return open_object_store(str(tmp_path / "store"))
    request.getfixturevalue("s3_variables")
    return open_object_store(f"s3://tests/{tmp_path.name}")


def test_objects_are_stored_read_listed_copied_and_removed(store: ObjectStore, tmp_path: Path) -> None:
    store.put("a/one", b"1")
    store.put("a/one", b"11")
    store.put("b", b"")
    store.copy("a/one", "c/copy")
    assert store.list_names() == ["a/one", "b", "c/copy"]
    assert store.list_names("a") == ["a/one"]
    assert store.list_names("none") == []
    assert [*store.list_versions(after="a/one")] == ["b", "c/copy"]
    assert (store.read("c/copy"), store.read("b")) == (b"11", b"")
    assert store.exists("b")
    assert not store.exists("a")
    store.remove(["b", "never", "a/one"])
    assert store.list_names() == ["c/copy"]
    with pytest.raises(FileNotFoundError):
        store.download("b", tmp_path / "b")
    assert not (tmp_path / "b").exists()


def test_an_object_is_new_only_once(store: ObjectStore) -> None:
    assert store.put_new("name", b"first")
    assert not store.put_new("name", b"second")
    assert not store.put_new("name", b"first")
    assert store.put_new("name", b"first", is_unique=True)
    assert store.read("name") == b"first"


def test_of_several_writers_of_a_new_object_exactly_one_succeeds(store: ObjectStore) -> None:
    def write(number: int) -> bool:
        return store.put_new(f"race/{number // 8}", str(number).encode())

    with ThreadPoolExecutor(8) as pool:
        is_stored = [*pool.map(write, range(80))]
    for race in range(10):
        writers = [number for number in range(race * 8, race * 8 + 8) if is_stored[number]]
        assert writers == [int(store.read(f"race/{race}"))]


def test_files_of_several_chunks_keep_their_bytes(store: ObjectStore, tmp_path: Path) -> None:
    content = os.urandom(2 * CHUNK_BYTES + 1)
    (tmp_path / "file").write_bytes(content)
    assert store.put_content("named", tmp_path / "file")
    assert not store.put_content("named", tmp_path / "file")
    store.download("named", tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_store_can_be_pickled(store: ObjectStore) -> None:
    store.put("a", b"1")
    again = pickle.loads(pickle.dumps(store))
    assert again.read("a") == b"1"


@pytest.mark.parametrize(
    "url", ["s3://key:secret@bucket", "gs://bucket", "folder", "", "/", "s3://", "s3://b?x=secret"]
)
def test_an_address_of_another_form_is_rejected_without_it(url: str) -> None:
    with pytest.raises(TurretError, match="another form than s3://BUCKET/PREFIX") as raised:
        open_object_store(url)
    assert "secret@" not in str(raised.value)


def test_an_invalid_service_is_rejected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost:8333")
    with pytest.raises(TurretError, match="The address in AWS_ENDPOINT_URL"):
        open_object_store("s3://tests").exists("a")


def fault_of(action: Callable[[], object]) -> str:
    """The sentence of the fault that an action raises within few seconds."""
    started = time.monotonic()
    with pytest.raises(FaultError) as raised:
        action()
    assert time.monotonic() - started < 20
    assert "turret-secret" not in str(raised.value)
    assert raised.value.__suppress_context__
    return str(raised.value)


@pytest.mark.usefixtures("s3_variables")
class TestFaults:
    """Each fault is a sentence with the address and the remedy, after a limited time."""

    def test_wrong_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wrong")
        said = fault_of(lambda: open_object_store("s3://tests/faults", BRIEF).read("a"))
        assert "s3://tests/faults" in said
        assert "credentials are wrong" in said

    def test_denied_access(self, monkeypatch: pytest.MonkeyPatch) -> None:
        for name, value in READER_KEYS.items():
            monkeypatch.setenv(name, value)
        assert "access is denied" in fault_of(lambda: open_object_store("s3://tests/faults", BRIEF).put("a", b"1"))

    def test_a_missing_bucket(self) -> None:
        missing = open_object_store("s3://missing", BRIEF)
        assert "the bucket does not exist" in fault_of(lambda: missing.list_names("commits"))
        assert "the bucket does not exist" in fault_of(lambda: missing.read("a"))

    def test_a_service_that_is_not_there(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://user:hidden@127.0.0.1:9")
        said = fault_of(lambda: open_object_store("s3://tests", BRIEF).read("a"))
        assert "(http://127.0.0.1:9)" in said
        assert "it cannot be reached" in said

    def test_a_service_that_hangs(self, object_server: ObjectServer) -> None:
        with object_server.frozen():
            said = fault_of(lambda: open_object_store("s3://tests", BRIEF).read("a"))
        assert "did not answer in time" in said

    def test_slow_answers_are_waited_for(self, proxy: Proxy) -> None:
        proxy.delay = 0.4
        store = open_object_store("s3://tests/slow", BRIEF)
        store.put("a", b"1")
        assert store.read("a") == b"1"
        proxy.delay = 1.5
        assert "did not answer in time" in fault_of(lambda: store.read("a"))

    def test_a_short_outage_is_survived(self, proxy: Proxy) -> None:
        store = open_object_store("s3://tests/outage", Limits(5, 10))
        proxy.is_down = True
        threading.Timer(1, lambda: setattr(proxy, "is_down", False)).start()
        store.put("a", b"1")
        assert store.read("a") == b"1"

    def test_a_transfer_that_is_cut_leaves_nothing(self, proxy: Proxy, tmp_path: Path) -> None:
        content = os.urandom(3 * CHUNK_BYTES)
        (tmp_path / "file").write_bytes(content)
        store = open_object_store("s3://tests/cut", Limits(10, 1))
        proxy.cut_after = CHUNK_BYTES + CHUNK_BYTES // 2
        assert "it cannot be reached" in fault_of(lambda: store.put_content("big", tmp_path / "file"))
        proxy.is_down, proxy.cut_after = False, None
        assert store.list_names() == []
        store.put_content("big", tmp_path / "file")
        proxy.cut_after = CHUNK_BYTES + CHUNK_BYTES // 2
        assert "it cannot be reached" in fault_of(lambda: store.download("big", tmp_path / "again"))
        assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]
        proxy.is_down, proxy.cut_after = False, None
        store.download("big", tmp_path / "again")
        assert (tmp_path / "again").read_bytes() == content

"""Keys: shown once, kept as hashes, each of one project; what callers without one are told."""

import hmac
import json
import re
import stat
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from turret_pipeline.collector.keys import KeyFile, KeyRing
from turret_pipeline.collector.plans import Plan
from turret_pipeline.collector.projects import landing_folder
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.collector.servers import PATIENCE_SECONDS, Server, event, landed, running
from turret_pipeline_tests.commands import turret

TRACK = {"name": "n", "metadata": {}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("keys")) as started:
        yield started


def wait_for(server: Server, key: str, status: int) -> None:
    """The file of keys is looked at about once a second."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while server.post("/track", TRACK, key=key).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_commands_make_list_rotate_and_revoke_keys(tmp_path: Path) -> None:
    made = turret("keys", "create", "shop", "--plan", "custom", "--monthly", "500", "--data-dir", tmp_path)
    key = made.stdout.strip()
    assert re.fullmatch(r"turret_[0-9a-f]{12}_\S{43}", key)
    listed = turret("keys", "list", "--data-dir", tmp_path).stdout
    assert "shop" in listed
    assert "500 events a month" in listed
    rotated = turret("keys", "rotate", "shop", "--data-dir", tmp_path).stdout.strip()
    assert rotated != key
    assert turret("keys", "revoke", rotated.split("_")[1], "--data-dir", tmp_path).returncode == 0
    rows = json.loads(turret("keys", "list", "--json", "--data-dir", tmp_path).stdout)
    assert [(row["project"], row["revoked_at"] is not None, row["used"]) for row in rows] == [("shop", True, 0)] * 2
    everything = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert key.split("_")[2].encode() not in everything


def test_a_new_key_holds_at_once(server: Server) -> None:
    keys = [KeyFile(server.data_dir / "collector").create(f"shop-{number}")[0] for number in range(3)]
    assert [server.post("/track", TRACK, key=key).status_code for key in keys] == [200] * 3


def test_only_the_owner_can_read_the_file_of_keys(tmp_path: Path) -> None:
    file = KeyFile(tmp_path / "collector")
    file.create("shop")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in (file.path, file.path.parent)]
    assert modes == [0o600, 0o700]
    file.path.chmod(0o644)
    ring = KeyRing(file)
    assert "could be read by others" in (ring.refresh() or "")
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "../x", "/etc", "a\\b", "A", "a b", "-a", ".a", "a" * 64, "a\x00", "a\n", "é"]
)
def test_a_name_that_could_lead_elsewhere_is_no_project(tmp_path: Path, name: str) -> None:
    with pytest.raises(TurretError, match="Invalid project name"):
        KeyFile(tmp_path).create(name)
    with pytest.raises(TurretError, match="Invalid project name"):
        landing_folder(tmp_path, name)


def test_a_plan_that_is_none_is_told(tmp_path: Path) -> None:
    for wrong in (["--plan", "gold"], ["--plan", "pro", "--monthly", "5"], ["--monthly", "0"]):
        done = turret("keys", "create", "shop", *wrong, "--data-dir", tmp_path)
        assert (done.returncode, done.stdout) == (2, "")
    assert "No active key found" in turret("keys", "revoke", "shop", "--data-dir", tmp_path).stderr


def test_the_plan_of_a_project_stays_until_another_is_given(tmp_path: Path) -> None:
    file = KeyFile(tmp_path)
    file.create("shop", Plan("pro"))
    file.create("shop")
    assert file.read().plan("shop") == Plan("pro")
    file.create("shop", Plan("business"))
    assert file.read().plan("shop") == Plan("business")
    with pytest.raises(TurretError, match="3 active keys"):
        file.rotate("shop")


def test_no_key_a_wrong_one_and_a_revoked_one_look_the_same(server: Server) -> None:
    file = KeyFile(server.data_dir / "collector")
    gone, kept = file.create("demo")
    wait_for(server, gone, 200)
    file.revoke(kept.key_id)
    wait_for(server, gone, 401)
    right = server.key
    wrong = ["", "x", "turret_", right[:-1], right + "x", right.upper(), f"turret_000000000000_{'x' * 43}", gone, "ü"]
    answers = [server.post("/track", TRACK, key=key) for key in wrong if key.isascii()]
    answers += [server.post(path, [], key=gone) for path in ("/publish_events", "/v1/events")]
    told = {(answer.status_code, answer.text, tuple(sorted(answer.headers))) for answer in answers}
    assert len(told) == 1
    assert answers[0].status_code == 401
    assert answers[0].json()["code"] == "INVALID_API_KEY"
    assert isinstance(answers[0].json()["detail"], str)


def test_each_key_that_is_presented_costs_one_comparison_in_constant_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = KeyFile(tmp_path)
    right, _ = file.create("shop")
    gone, ended = file.create("shop")
    file.revoke(ended.key_id)
    keys = file.read()
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def spy(a: str, b: str) -> bool:
        compared.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    owners = [keys.authenticate(key) for key in (right, gone, right[:-1] + "?", "", "nonsense", "turret_0_x")]
    assert [owner is not None for owner in owners] == [True, False, False, False, False, False]
    assert compared == [(64, 64)] * 6


def test_events_of_projects_never_meet(server: Server) -> None:
    other, _ = KeyFile(server.data_dir / "collector").create("other")
    wait_for(server, other, 200)
    server.post("/publish_events", [event(user_id="mine")])
    server.post("/publish_events", [event(user_id="theirs")], key=other)
    mine, theirs = (
        {record["user_id"] for record in landed(server.data_dir, project) if "event" in record}
        for project in ("demo", "other")
    )
    assert ("mine" in mine, "theirs" in mine) == (True, False)
    assert theirs == {"theirs"}


def test_neither_keys_nor_texts_are_logged(server: Server) -> None:
    server.post("/track?secret=query", {"name": "secret-name", "metadata": {"a": "secret-text"}})
    server.post("/publish_events", [{"user_id": "secret-user"}])
    server.post("/track", b"secret-garbage", key="secret-key")
    server.speak(b"secret garbage\r\n\r\n")
    log = server.logged()
    assert "secret" not in log
    assert server.key not in log

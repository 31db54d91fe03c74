"""API keys: shown once, stored as hashes, each for one project; requests without a valid key."""

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
from turret_pipeline_tests.collector.servers import TIMEOUT_SECONDS, Server, make_event, read_records, run_server
from turret_pipeline_tests.commands import turret

TRACK = {"name": "n", "metadata": {}}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with run_server(tmp_path_factory.mktemp("keys")) as started:
        yield started


def wait_for_status(server: Server, key: str, status: int) -> None:
    """Post until the response has this status; the server rereads the key file regularly."""
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while server.post("/track", TRACK, key=key).status_code != status:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_commands_create_list_rotate_and_revoke_keys(tmp_path: Path) -> None:
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
    assert key.split("_", 2)[2].encode() not in everything


def test_a_new_key_is_valid_at_once(server: Server) -> None:
    keys = [KeyFile(server.data_dir / "collector").create(f"shop-{number}")[0] for number in range(3)]
    assert [server.post("/track", TRACK, key=key).status_code for key in keys] == [200] * 3


def test_only_the_owner_can_read_the_key_file(tmp_path: Path) -> None:
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
def test_an_unsafe_project_name_is_rejected(tmp_path: Path, name: str) -> None:
    with pytest.raises(TurretError, match="Invalid project name"):
        KeyFile(tmp_path).create(name)
    with pytest.raises(TurretError, match="Invalid project name"):
        landing_folder(tmp_path, name)


@pytest.mark.slow
def test_an_invalid_plan_is_rejected(tmp_path: Path) -> None:
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


def test_missing_wrong_and_revoked_keys_get_the_same_response(server: Server) -> None:
    file = KeyFile(server.data_dir / "collector")
    revoked, stored = file.create("demo")
    wait_for_status(server, revoked, 200)
    file.revoke(stored.key_id)
    wait_for_status(server, revoked, 401)
    valid = server.key
    unknown = f"turret_000000000000_{'x' * 43}"
    wrong = ["", "x", "turret_", valid[:-1], valid + "x", valid.upper(), unknown, revoked, "ü"]
    answers = [server.post("/track", TRACK, key=key) for key in wrong if key.isascii()]
    answers += [server.post(path, [], key=revoked) for path in ("/publish_events", "/v1/events")]
    responses = {(answer.status_code, answer.text, tuple(sorted(answer.headers))) for answer in answers}
    assert len(responses) == 1
    assert answers[0].status_code == 401
    assert answers[0].json()["code"] == "INVALID_API_KEY"
    assert isinstance(answers[0].json()["detail"], str)


def test_every_key_costs_one_comparison_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = KeyFile(tmp_path)
    valid, _ = file.create("shop")
    revoked, stored = file.create("shop")
    file.revoke(stored.key_id)
    keys = file.read()
    compared: list[tuple[int, int]] = []
    real = hmac.compare_digest

    def spy(a: str, b: str) -> bool:
        compared.append((len(a), len(b)))
        return real(a, b)

    monkeypatch.setattr(hmac, "compare_digest", spy)
    found = [keys.authenticate(key) for key in (valid, revoked, valid[:-1] + "?", "", "nonsense", "turret_0_x")]
    assert [key is not None for key in found] == [True, False, False, False, False, False]
    assert compared == [(64, 64)] * 6


def test_projects_never_share_events(server: Server) -> None:
    other, _ = KeyFile(server.data_dir / "collector").create("other")
    wait_for_status(server, other, 200)
    server.post("/publish_events", [make_event(user_id="mine")])
    server.post("/publish_events", [make_event(user_id="theirs")], key=other)
    mine, theirs = (
        {record["user_id"] for record in read_records(server.data_dir, project) if "event" in record}
        for project in ("demo", "other")
    )
    assert ("mine" in mine, "theirs" in mine) == (True, False)
    assert theirs == {"theirs"}


def test_neither_keys_nor_texts_are_logged(server: Server) -> None:
    server.post("/track?secret=query", {"name": "secret-name", "metadata": {"a": "secret-text"}})
    server.post("/publish_events", [{"user_id": "secret-user"}])
    server.post("/track", b"secret-garbage", key="secret-key")
    server.send_raw(b"secret garbage\r\n\r\n")
    log = server.read_log()
    assert "secret" not in log
    assert server.key not in log

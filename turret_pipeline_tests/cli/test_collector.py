"""`turret serve` and `turret send`, and the settings that the collector shares a file with."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from turret_pipeline.cli.collector_settings import load_checked_settings
from turret_pipeline.collector.keys import KeyFile
from turret_pipeline.collector.plans import Plan
from turret_pipeline.collector.server import serve
from turret_pipeline.config.collector import load_collector_settings
from turret_pipeline.config.pipeline import load_settings
from turret_pipeline.errors import TurretError
from turret_pipeline_tests.collector.servers import TIMEOUT_SECONDS, Server, read_records, run_server
from turret_pipeline_tests.commands import BIN, environment, turret, write_events


def client_environment(server: Server, **more: str) -> dict[str, str]:
    return {"TURRET_COLLECTOR_API_KEY": server.key, "TURRET_COLLECTOR_URL": server.url, **more}


@pytest.mark.slow
def test_a_dump_of_any_format_is_sent_once_and_damage_is_reported(tmp_path: Path) -> None:
    dump = tmp_path / "dump.csv"
    dump.write_text("event_name,event_at,user_id,plan\nseen,2026-05-01T10:00:00Z,u1,free\n,2026-05-01,u2,team\n")
    with run_server(tmp_path) as server:
        first = turret("send", dump, "--data-dir", tmp_path / "mine", extra=client_environment(server))
        assert first.returncode == 1
        assert "dump.csv, line 3" in first.stderr
        assert "1 events stored, 1 rejected" in first.stderr
        second = turret("send", dump, "--data-dir", tmp_path / "mine", extra=client_environment(server))
        assert (second.returncode, "was already sent" in second.stderr) == (0, True)
        (record,) = server.read_records()
        assert (record["name"], record["timestamp"], record["metadata"]) == (
            *("seen", "2026-05-01T10:00:00+00:00", {"plan": "free"}),
        )


@pytest.mark.slow
def test_calls_of_tools_are_sent_unless_the_setting_drops_them(tmp_path: Path) -> None:
    call = {"id": "c-1", "type": "function", "function": {"name": "find_order", "arguments": "{}"}}
    answer = {"role": "assistant", "content": "It is on its way.", "tool_calls": [call]}
    chat = {"timestamp": "2026-05-01T10:00:00Z", "messages": [{"role": "user", "content": "Where is it?"}, answer]}
    dump = write_events(tmp_path / "chats.jsonl", [chat])
    with run_server(tmp_path) as server:
        for setting, tools in (("false", []), ("true", ["tool:find_order"])):
            extra = client_environment(server, TURRET_KEEP_TOOL_CALLS=setting)
            done = turret("send", dump, "--data-dir", tmp_path / setting, extra=extra)
            assert done.returncode == 0, done.stderr
            names = {record["name"] for record in server.read_records()}
            assert names == {"User prompt", "AI generation", *tools}


@pytest.mark.slow
def test_sending_resumes_where_it_stopped(tmp_path: Path) -> None:
    events = [{"name": "n", "metadata": {"number": number}} for number in range(2500)]
    dump = write_events(tmp_path / "dump.jsonl", events)
    with run_server(tmp_path, plan=Plan("custom", 2000)) as server:
        stopped = turret("send", dump, "--data-dir", tmp_path / "mine", extra=client_environment(server))
        assert stopped.returncode == 2
        assert "answered 429" in stopped.stderr
        assert "Run the same command again" in stopped.stderr
        KeyFile(tmp_path / "collector").create("demo", Plan("pro"))
        time.sleep(1)
        done = turret("send", dump, "--data-dir", tmp_path / "mine", extra=client_environment(server))
        assert "dump.jsonl: resuming after 2,000 records" in done.stderr
        assert "2,500 events stored" in done.stderr
        numbers = [record["metadata"]["number"] for record in server.read_records()]
    assert sorted(numbers) == list(range(2500))


@pytest.mark.slow
def test_several_files_are_sent_and_one_that_cannot_be_read_costs_no_other(tmp_path: Path) -> None:
    first = write_events(tmp_path / "a.jsonl", [{"name": "first"}])
    last = write_events(tmp_path / "b.jsonl", [{"name": "last"}, {}])
    with run_server(tmp_path) as server:
        options = ("--data-dir", tmp_path / "mine")
        extra = client_environment(server)
        done = turret("send", first, tmp_path / "none.jsonl", tmp_path, last, *options, extra=extra)
        assert done.returncode == 2
        assert "a.jsonl: 1 events stored, 0 rejected" in done.stderr
        assert "b.jsonl: 1 events stored, 1 rejected" in done.stderr
        assert f"Cannot read {tmp_path / 'none.jsonl'}: No such file or directory. Check the path." in done.stderr
        assert f"Cannot read {tmp_path}: Is a directory." in done.stderr
        assert {record["name"] for record in server.read_records()} == {"first", "last"}
        assert turret("send", first, last, *options, "--resend", extra=extra).returncode == 1


@pytest.mark.slow
def test_an_event_has_the_same_id_each_time_it_is_sent(tmp_path: Path) -> None:
    timed, same = {"name": "n", "timestamp": "2026-05-01T10:00:00Z"}, {"name": "n"}
    dump = write_events(tmp_path / "dump.jsonl", [timed, timed, same, same, {**timed, "event_id": "own"}])
    other = write_events(tmp_path / "other.jsonl", [same])

    def read_ids(*files: Path, folder: str = "mine") -> list[str]:
        before = len(server.read_records())
        done = turret("send", *files, "--data-dir", tmp_path / folder, "--resend", extra=client_environment(server))
        assert done.returncode == 0, done.stderr
        return [record["event_id"] for record in server.read_records()[before:]]

    with run_server(tmp_path, {"duplicate_window_seconds": 0}) as server:
        ids = read_ids(dump)
        assert len(set(ids)) == 5
        assert ids[4] == "own"
        KeyFile(tmp_path / "collector").rotate("demo")
        server.key = KeyFile(tmp_path / "collector").create("demo")[0]
        time.sleep(1)
        assert read_ids(dump) == ids
        assert not set(read_ids(other)) & set(ids)
        with dump.open("a") as opened:
            opened.write('{"name": "new", "timestamp": "2026-05-02"}\n')
        grown = read_ids(dump)
        assert (grown[:2], grown[4]) == (ids[:2], "own")
        assert not set(read_ids(dump, folder="other")) & set(ids[:4]), "the secret of a folder keys its ids"
    secret = tmp_path / "mine" / "collector" / "sent" / "id_secret"
    assert (len(secret.read_bytes()), secret.stat().st_mode & 0o777) == (32, 0o600)


@pytest.mark.slow
def test_a_damaged_note_of_what_was_sent_is_ignored(tmp_path: Path) -> None:
    dump = write_events(tmp_path / "dump.jsonl", [{"name": "n"}])
    with run_server(tmp_path) as server:
        for content in (b"", b"[]", b'{"records": 1, "unknown": 2}'):
            done = turret("send", dump, "--data-dir", tmp_path / "mine", extra=client_environment(server))
            assert (done.returncode, "1 events stored" in done.stderr) == (0, True)
            (note,) = (tmp_path / "mine" / "collector" / "sent").glob("*.json")
            note.write_bytes(content)
        assert len(server.read_records()) == 1


@pytest.mark.slow
def test_sending_without_a_key_a_collector_or_a_valid_key_fails(tmp_path: Path) -> None:
    dump = write_events(tmp_path / "dump.jsonl", [{"name": "n"}])
    assert "TURRET_COLLECTOR_API_KEY" in turret("send", dump, "--data-dir", tmp_path).stderr
    nobody = {"TURRET_COLLECTOR_API_KEY": "x", "TURRET_COLLECTOR_URL": "http://127.0.0.1:9"}
    done = turret("send", dump, "--tries", "2", "--data-dir", tmp_path, extra=nobody)
    assert (done.returncode, "does not answer" in done.stderr) == (2, True)
    with run_server(tmp_path) as server:
        wrong = turret(
            "send", dump, "--data-dir", tmp_path, extra=client_environment(server, TURRET_COLLECTOR_API_KEY="x")
        )
        assert (wrong.returncode, "answered 401" in wrong.stderr) == (2, True)
        assert "Check the key in TURRET_COLLECTOR_API_KEY." in wrong.stderr


@pytest.mark.slow
def test_serve_listens_writes_and_stops_at_a_signal(tmp_path: Path) -> None:
    key = KeyFile(tmp_path / "collector").create("demo")[0]
    log = tmp_path / "log.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [str(BIN / "turret"), "serve", "--port", "0", "--workers", "2", "--data-dir", str(tmp_path)],
            env=environment(),
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while log.read_text().count("startup complete") < 2:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    found = re.search(r"running on http://127.0.0.1:(\d+)", log.read_text())
    assert found
    server = Server(process, tmp_path, int(found[1]), log, key)
    assert server.post("/track", {"name": "n", "metadata": {}}).status_code == 200
    server.session.close()
    os.kill(process.pid, signal.SIGTERM)
    assert process.wait(TIMEOUT_SECONDS) == 0
    assert [record["name"] for record in read_records(tmp_path)] == ["n"]
    assert [path.name[0] == "." for path in (tmp_path / "projects").rglob("*.jsonl*")] == [False]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--port", "99999"], "port"),
        (["--workers", "0"], "workers"),
        (["--tls-certificate", "cert.pem", "--port", "0"], "tls_key"),
    ],
)
def test_serve_reports_an_invalid_value(tmp_path: Path, options: list[str], message: str) -> None:
    done = subprocess.run(
        [str(BIN / "turret"), "serve", "--data-dir", str(tmp_path), *options],
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=TIMEOUT_SECONDS,
    )
    assert (done.returncode, message in done.stderr) == (2, True)


@pytest.mark.slow
@pytest.mark.parametrize("command", ["serve", "dashboard", "ui"])
def test_a_port_that_is_in_use_is_one_line_with_the_remedy(tmp_path: Path, command: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = turret(command, "--port", port, "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        f"Cannot listen on 127.0.0.1:{port}: Address already in use. Choose another address with --host and --port, or "
        "stop the process that uses it.\n"
    )


def test_serve_names_a_port_that_is_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(TurretError, match=rf"^Cannot listen on 127\.0\.0\.1:{port}: Address already in use\."):
            serve(load_collector_settings(data_dir=tmp_path, port=port))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("[colector]\nport = 9000\n", "Unknown table [colector] in turret.toml. Did you mean collector?"),
        ("[maping]\nevent_name = 'a'\n", "Unknown table [maping] in turret.toml. Did you mean mapping?"),
        ("data_dri = 'there'\n", "Unknown setting 'data_dri' in turret.toml. Did you mean data_dir?"),
    ],
)
@pytest.mark.parametrize("load", [load_settings, load_checked_settings])
def test_the_pipeline_and_the_collector_reject_a_misspelt_name_in_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, load: Callable[[], object], content: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turret.toml").write_text(content)
    with pytest.raises(TurretError) as rejected:
        load()
    assert str(rejected.value) == message


def test_serve_rejects_a_misspelt_table(tmp_path: Path) -> None:
    (tmp_path / "turret.toml").write_text("[colector]\nport = 9000\n")
    command = [str(BIN / "turret"), "serve", "--port", "0"]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False, timeout=60
    )
    assert (done.returncode, "Unknown table [colector]" in done.stderr) == (2, True)


def test_the_collector_and_the_pipeline_share_a_file_and_reject_misspelt_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "turret.toml").write_text('data_dir = "there"\nseed = 5\n[collector]\nport = 9000\n')
    monkeypatch.setenv("TURRET_COLLECTOR_WORKERS", "3")
    assert (load_settings().seed, load_settings().data_dir) == (5, tmp_path / "there")
    settings = load_collector_settings()
    assert (settings.port, settings.workers, settings.data_dir) == (9000, 3, tmp_path / "there")
    monkeypatch.setenv("TURRET_DATA_DIR", "elsewhere")
    assert load_collector_settings().data_dir == tmp_path / "elsewhere"
    (tmp_path / "turret.toml").write_text("[collector]\nprot = 1\n")
    with pytest.raises(TurretError, match=r"Unknown setting 'prot' in table \[collector\].* Did you mean port"):
        load_collector_settings()
    (tmp_path / "turret.toml").write_text("[collector]\nport = 'x'\n")
    with pytest.raises(TurretError, match="TURRET_COLLECTOR_PORT"):
        load_collector_settings()
    monkeypatch.setenv("TURRET_COLLECTOR_PROT", "1")
    with pytest.raises(TurretError, match="Did you mean TURRET_COLLECTOR_PORT"):
        load_collector_settings()


def test_the_key_that_is_sent_with_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURRET_COLLECTOR_API_KEY", "turret_secret")
    assert "secret" not in str(load_collector_settings())
    assert json.dumps(load_collector_settings().model_dump(mode="json")).count("secret") == 0

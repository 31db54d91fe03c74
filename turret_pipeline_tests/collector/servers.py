"""Collector on loopback as `turret serve` starts it, requests to it, and the files that it wrote."""

import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from turret_pipeline.collector.keys import KeyFile
from turret_pipeline.collector.plans import Plan
from turret_pipeline_tests.commands import PROJECT, environment

TIMEOUT_SECONDS = 20


@dataclass
class Server:
    """Running collector."""

    process: subprocess.Popen[bytes]
    data_dir: Path
    port: int
    log: Path
    key: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def post(self, path: str, body: object, key: str | None = None, **headers: str) -> requests.Response:
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        defaults = {"content-type": "application/json", "x-api-key": self.key if key is None else key}
        overrides = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.post(self.url + path, data=raw, headers=defaults | overrides, timeout=TIMEOUT_SECONDS)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=TIMEOUT_SECONDS)

    def send_raw(self, raw: bytes, *, seconds: float = 5) -> bytes:
        """Send raw bytes. Return all data that arrives before the connection ends or is silent for ``seconds``."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(raw)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except TimeoutError:
                pass
            return answer

    def read_log(self) -> str:
        return self.log.read_text()

    def stop(self) -> None:
        """Stop the collector as an operator does: it finishes its requests."""
        self.session.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(TIMEOUT_SECONDS)

    def kill(self) -> None:
        """Kill all processes at once, without warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(TIMEOUT_SECONDS)

    def read_records(self, project: str = "demo") -> list[dict[str, Any]]:
        """All records of a project, from finished and open files."""
        return read_records(self.data_dir, project)


def read_records(data_dir: Path, project: str = "demo") -> list[dict[str, Any]]:
    folder = data_dir / "projects" / project / "landing"
    files = sorted(path for path in folder.glob("*/*") if path.is_file() and "jsonl" in path.name)
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def list_landing_files(data_dir: Path, project: str = "demo") -> list[Path]:
    return sorted((data_dir / "projects" / project / "landing").glob("*/*"))


def start_server(
    data_dir: Path,
    settings: Mapping[str, object] | None = None,
    *,
    port: int = 0,
    app: str | None = None,
    plan: Plan | None = None,
    key: str | None = None,
) -> Server:
    """Start a collector and wait until it answers. ``app`` names another application to run instead."""
    key = key or KeyFile(data_dir / "collector").create("demo", plan)[0]
    variables = {f"TURRET_COLLECTOR_{name.upper()}": str(value) for name, value in (settings or {}).items()}
    variables |= {"TURRET_DATA_DIR": str(data_dir), "TURRET_COLLECTOR_PORT": str(port)}
    log = data_dir / "log.txt"
    with log.open("ab") as output:
        at = output.tell()
        command = [sys.executable, "-m", app or "turret_pipeline.collector"]
        process = subprocess.Popen(
            command, cwd=PROJECT, env=environment(variables), stdout=output, stderr=output, start_new_session=True
        )
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        text = log.read_bytes()[at:].decode()
        found = re.search(r"running on https?://[^:]+:(\d+)", text)
        workers = int(variables.get("TURRET_COLLECTOR_WORKERS", 1))
        if found and text.count("startup complete") >= workers:
            return Server(process, data_dir, int(found[1]), log, key)
        time.sleep(0.02)
    process.kill()
    process.wait()
    raise AssertionError(f"The collector did not start: {log.read_text()}")


@contextmanager
def run_server(
    data_dir: Path,
    settings: Mapping[str, object] | None = None,
    *,
    port: int = 0,
    app: str | None = None,
    plan: Plan | None = None,
) -> Iterator[Server]:
    server = start_server(data_dir, settings, port=port, app=app, plan=plan)
    try:
        yield server
    finally:
        server.stop()


def gzip_body(body: object) -> bytes:
    """Gzip without a time in it, so that the parameter of a test has the same id in every process."""
    return gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode(), mtime=0)


def make_event(**changes: object) -> dict[str, object]:
    """Trubrics event."""
    return {"user_id": "u1", "event": "page_seen", "timestamp": "2026-05-01T10:00:00+00:00"} | changes


def make_llm_event(**changes: object) -> dict[str, object]:
    """Trubrics LLM event."""
    return {"user_id": "u1", "prompt": "Hello?", "generation": "Hi.", "timestamp": "2026-05-01T10:00:00Z"} | changes


def request_head(server: Server, *lines: str, path: str = "/track") -> bytes:
    """The head of a POST request with the server's key."""
    return "\r\n".join(
        [
            f"POST {path} HTTP/1.1",
            "host: x",
            f"x-api-key: {server.key}",
            "content-type: application/json",
            *lines,
            "",
            "",
        ]
    ).encode()


def parse_error(answer: bytes) -> tuple[int, str]:
    """Status and code of a raw response with an error object."""
    first, _, body = answer.partition(b"\r\n\r\n")
    error = json.loads(body)
    assert (error["success"], bool(error["error"]), bool(error["detail"])) == (False, True, True)
    return int(first.split()[1]), error["code"]

"""A collector on loopback as `turret serve` starts it, its clients, and what it wrote."""

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

PATIENCE_SECONDS = 20


@dataclass
class Server:
    """A running collector."""

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
        given = {"content-type": "application/json", "x-api-key": self.key if key is None else key}
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.session.post(self.url + path, data=raw, headers=given | named, timeout=PATIENCE_SECONDS)

    def get(self, path: str) -> requests.Response:
        return self.session.get(self.url + path, timeout=PATIENCE_SECONDS)

    def speak(self, raw: bytes, *, seconds: float = 5) -> bytes:
        """What comes back for raw bytes, until the collector ends the connection or is silent for long."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=seconds) as connection:
            connection.sendall(raw)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
            except TimeoutError:
                pass
            return answer

    def logged(self) -> str:
        return self.log.read_text()

    def stop(self) -> None:
        """As an operator stops it: what was taken is finished."""
        self.session.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """As the kernel kills it: all processes, at once, without warning."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)

    def landed(self, project: str = "demo") -> list[dict[str, Any]]:
        """All records of a project, in finished and in open files."""
        return landed(self.data_dir, project)


def landed(data_dir: Path, project: str = "demo") -> list[dict[str, Any]]:
    folder = data_dir / "projects" / project / "landing"
    files = sorted(path for path in folder.glob("*/*") if path.is_file() and "jsonl" in path.name)
    return [json.loads(line) for path in files for line in path.read_bytes().splitlines()]


def files_of(data_dir: Path, project: str = "demo") -> list[Path]:
    return sorted((data_dir / "projects" / project / "landing").glob("*/*"))


def start(
    data_dir: Path,
    settings: Mapping[str, object] | None = None,
    *,
    port: int = 0,
    app: str | None = None,
    plan: Plan | None = None,
    key: str | None = None,
) -> Server:
    """A collector that answers. ``app`` names another application, to compare with."""
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
    deadline = time.monotonic() + PATIENCE_SECONDS
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
def running(
    data_dir: Path, settings: Mapping[str, object] | None = None, *, port: int = 0, plan: Plan | None = None
) -> Iterator[Server]:
    server = start(data_dir, settings, port=port, plan=plan)
    try:
        yield server
    finally:
        server.stop()


def zipped(body: object) -> bytes:
    """Gzipped without a time in it, so that a parameter of a test has the same name in every process."""
    return gzip.compress(body if isinstance(body, bytes) else json.dumps(body).encode(), mtime=0)


def event(**changes: object) -> dict[str, object]:
    """An event of Trubrics."""
    return {"user_id": "u1", "event": "page_seen", "timestamp": "2026-05-01T10:00:00+00:00"} | changes


def llm_event(**changes: object) -> dict[str, object]:
    """An LLM event of Trubrics."""
    return {"user_id": "u1", "prompt": "Hello?", "generation": "Hi.", "timestamp": "2026-05-01T10:00:00Z"} | changes

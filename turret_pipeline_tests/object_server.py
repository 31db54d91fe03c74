"""SeaweedFS on this machine, and a proxy before it that counts requests, and refuses, delays or cuts connections."""

import contextlib
import json
import os
import shutil
import signal
import socket
import socketserver
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from turret_pipeline_tests.commands import BIN

KEYS = {"AWS_ACCESS_KEY_ID": "turret", "AWS_SECRET_ACCESS_KEY": "turret-secret"}
READER_KEYS = {"AWS_ACCESS_KEY_ID": "reader", "AWS_SECRET_ACCESS_KEY": "reader-secret"}
STARTS_WITHIN = 60
_ANY = ["Admin", "Read", "Write", "List", "Tagging"]


@dataclass
class ObjectServer:
    """SeaweedFS with S3's interface on loopback. ``volume_count`` volumes of ``volume_megabytes`` are its space."""

    folder: Path
    volume_count: int = 50
    volume_megabytes: int = 64
    _ports: list[int] = field(default_factory=list)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def endpoint(self) -> str:
        """Address of the service."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def port(self) -> int:
        """Port of S3's interface."""
        return self._ports[6]

    def start(self) -> "ObjectServer":
        """Start the server, on the same ports as before if it ran before, and wait until it takes writes."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self._ports = self._ports or _find_free_ports(8)
        (self.folder / "data").mkdir(exist_ok=True)
        config = self.folder / "s3.json"
        config.write_text(json.dumps({"identities": [_identity(KEYS, _ANY), _identity(READER_KEYS, ["Read", "List"])]}))
        names = ("master", "master", "volume", "volume", "filer", "filer", "s3", "s3")
        ports = [
            f"-{name}.port{'.grpc' if number % 2 else ''}={port}"
            for number, (name, port) in enumerate(zip(names, self._ports, strict=True))
        ]
        space = [f"-master.volumeSizeLimitMB={self.volume_megabytes}", f"-volume.max={self.volume_count}"]
        off = ["-master.telemetry=false", "-s3.port.iceberg=0", "-s3.port.lance=0"]
        with (self.folder / "log.txt").open("ab") as log:
            self._process = subprocess.Popen(
                [BIN / "weed", "server", f"-dir={self.folder / 'data'}", "-ip=127.0.0.1", "-ip.bind=127.0.0.1", "-s3",
                 f"-s3.config={config}", *ports, *space, *off],
                stdout=log, stderr=log, cwd=self.folder,
            )  # fmt: skip
        self._wait()
        return self

    def _wait(self) -> None:
        deadline = time.monotonic() + STARTS_WITHIN
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.endpoint}/healthz", timeout=1):
                return
            time.sleep(0.1)
        raise AssertionError((self.folder / "log.txt").read_text()[-2000:])

    def stop(self) -> None:
        """Kill the server, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def delete_bucket(self, name: str) -> None:
        """Delete all volumes of a bucket, whose space is free at once."""
        url = f"http://127.0.0.1:{self._ports[0]}/col/delete?collection={name}"
        with urllib.request.urlopen(urllib.request.Request(url, method="POST"), timeout=10):
            pass

    @contextlib.contextmanager
    def frozen(self) -> Iterator[None]:
        """Let the server hang: it takes connections and never answers."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(self._process.pid, signal.SIGCONT)

    def remove(self) -> None:
        """Stop the server and remove its files."""
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def _identity(keys: dict[str, str], actions: list[str]) -> dict[str, object]:
    credentials = {"accessKey": keys["AWS_ACCESS_KEY_ID"], "secretKey": keys["AWS_SECRET_ACCESS_KEY"]}
    return {"name": keys["AWS_ACCESS_KEY_ID"], "credentials": [credentials], "actions": actions}


def _find_free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()


class Proxy(socketserver.ThreadingTCPServer):
    """A proxy of one server. Its attributes change how it treats bytes from now on."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.target = port
        self.delay = 0.0
        """Seconds before each piece of an answer."""
        self.is_down = False
        """True: connections are closed at once."""
        self.cut_after: int | None = None
        """Bytes in both directions after which all connections are cut, and the proxy is down."""
        self.requests: list[str] = []
        """Methods and paths of all requests."""
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)

    def __enter__(self) -> "Proxy":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()

    @property
    def endpoint(self) -> str:
        """Address of the proxy."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def count(self, method: str, path: str = "") -> int:
        """Number of requests of a method whose path contains this."""
        return sum(one.startswith(f"{method} ") and path in one for one in self.requests)


class _Connection(socketserver.BaseRequestHandler):
    server: Proxy

    def handle(self) -> None:
        if self.server.is_down:
            return
        with socket.create_connection(("127.0.0.1", self.server.target)) as upstream:
            back = threading.Thread(target=self._pass, args=(upstream, self.request, False), daemon=True)
            back.start()
            self._pass(self.request, upstream, True)
            back.join()

    def _pass(self, source: socket.socket, target: socket.socket, is_request: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                if is_request:
                    self._note(data)
                elif self.server.delay:
                    time.sleep(self.server.delay)
                if self._is_cut(len(data)):
                    break
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def _note(self, data: bytes) -> None:
        line = data.split(b"\r\n", 1)[0]
        if line.endswith(b"HTTP/1.1"):
            self.server.requests.append(line.decode().removesuffix(" HTTP/1.1"))

    def _is_cut(self, size: int) -> bool:
        if self.server.cut_after is not None and not self.server.is_down:
            self.server.cut_after -= size
            self.server.is_down = self.server.cut_after <= 0
        return self.server.is_down

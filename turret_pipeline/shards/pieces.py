"""Shards and their results on an object store, by which they get to workers on other machines and back.

A shard is named by the hash of its work, arguments, input files and code, and a file by the hash of its content. So a
shard may run twice, anywhere, at the same time: the store keeps the first result. A shard holds raw rows, the salt of
ids, and code: on the store it is encrypted with a key that the run gives to its workers alone, and a worker runs
nothing else.
"""

import functools
import hashlib
import importlib.metadata
import os
import pickle
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from turret_pipeline.errors import TurretError
from turret_pipeline.packaged_files import hash_package
from turret_pipeline.shards.shard import Shard
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.checksums import hash_file
from turret_pipeline.storage.object_store import ObjectStore

KEY_BYTES, NONCE_BYTES = 32, 12
SCRATCH = "turret-shard-"
"""Prefix of the names of folders in which workers run shards; the id of their process follows."""

LIBRARIES = ("polars", "duckdb", "numpy", "torch", "sentence-transformers", "faiss-cpu")
"""Libraries whose versions decide what a shard writes."""


class Result(msgspec.Struct):
    """The value of a shard, and the hashes of its files by name."""

    value: Any
    files: dict[str, str]


@dataclass(frozen=True)
class Sent:
    """A shard on the store, and the objects with its input files, which others may share."""

    name: str
    files: set[str]


@dataclass(frozen=True)
class Pieces:
    """The shards of a run, their input files and results. Methods raise FaultError if the store fails.

    ``key`` has KEY_BYTES, and encrypts the shards by AES-GCM.
    """

    store: ObjectStore
    key: bytes = field(default_factory=lambda: os.urandom(KEY_BYTES), repr=False)

    def put_shard(self, shard: Shard[Any]) -> Sent:
        """Store a shard with its input files."""
        files = {name: self._put_file(path) for name, path in shard.files.items()}
        work = pickle.dumps((shard.work, shard.arguments, files))
        content = pickle.dumps((hash_code(), work))  # other code may not even load the work
        name = hashlib.sha256(content).hexdigest()
        self.store.put(_shard(name), self._encrypt(content, name))
        return Sent(name, {*map(_file, files.values())})

    def run_shard(self, name: str) -> None:
        """Run a shard in this process and store its result.

        Raises TurretError if the shard was changed, or is of another version of the code or of a library.
        """
        code, content = pickle.loads(self._decrypt(self.store.read(_shard(name)), name))
        if code != hash_code():
            raise TurretError(
                "This worker has another version of turret-pipeline or its libraries than the run: install the same "
                "lock file on all machines of the cluster."
            )
        work, arguments, files = pickle.loads(content)
        with tempfile.TemporaryDirectory(prefix=f"{SCRATCH}{os.getpid()}-") as folder:
            inputs, outputs = Path(folder, "inputs"), Path(folder, "outputs")
            inputs.mkdir()
            outputs.mkdir()
            for number, sha in enumerate(files.values()):
                self._fetch_file(sha, inputs / str(number))
            paths = {each: inputs / str(number) for number, each in enumerate(files)}
            value = work(outputs, *arguments, **paths)
            written = {file.name: self._put_file(file) for file in sorted(outputs.iterdir())}
            self.store.put_new(_result(name), msgspec.msgpack.encode(Result(value, written)))

    def take_result(self, name: str, folder: Path) -> tuple[Any, set[str]]:
        """The value of a shard, whose files are then in the folder, and the objects with them, which others may share.

        The shard and its result are deleted. Raises FileNotFoundError if it has not run to its end.
        """
        result = msgspec.msgpack.decode(self.store.read(_result(name)), type=Result)
        for file, sha in result.files.items():
            self._fetch_file(sha, folder / Path(file).name)
        self.store.remove([_shard(name), _result(name)])
        return result.value, {*map(_file, result.files.values())}

    def remove_all(self) -> None:
        """Delete everything, also what killed runs left."""
        if self.store.folder is not None:  # also what was being written, which is in no list
            remove(self.store.folder)
        else:
            self.store.remove(self.store.list_names())

    def _encrypt(self, content: bytes, name: str) -> bytes:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self.key).encrypt(nonce, content, name.encode())

    def _decrypt(self, sealed: bytes, name: str) -> bytes:
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            return AESGCM(self.key).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError):
            raise TurretError(
                f"The shard {name[:12]} in {self.store.url} was not stored by this run, or changed since."
            ) from None

    def _put_file(self, path: Path) -> str:
        sha = hash_file(path)
        self.store.put_content(_file(sha), path)
        return sha

    def _fetch_file(self, sha: str, path: Path) -> None:
        self.store.download(_file(sha), path)
        if hash_file(path) != sha:
            path.unlink()
            raise TurretError(f"The file {sha[:12]} in {self.store.url} was changed since it was stored.")


def remove_stale_scratch() -> None:
    """Delete the folders of workers on this machine that were killed: they hold rows."""
    for folder in Path(tempfile.gettempdir()).glob(f"{SCRATCH}*-*"):
        pid = folder.name.removeprefix(SCRATCH).split("-")[0]
        if pid.isdigit() and not _is_running(int(pid)):
            remove(folder)


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError as error:
        return not isinstance(error, ProcessLookupError)
    return True


@functools.cache
def hash_code() -> str:
    """Hash of this package, its libraries and Python: with others, the same shard may have another result."""
    versions = [f"{name}=={importlib.metadata.version(name)}" for name in LIBRARIES]
    return hashlib.sha256("\n".join([hash_package(), sys.version.split()[0], *versions]).encode()).hexdigest()


def _shard(name: str) -> str:
    return f"shards/{name}"


def _result(name: str) -> str:
    return f"results/{name}"


def _file(sha: str) -> str:
    return f"files/{sha}"

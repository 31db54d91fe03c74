"""An object store, reached by S3's interface, or a folder of a shared file system that is used in the same way.

An object appears whole or not at all. ``put_new`` stores one only if its name is free, which the store itself decides
(`If-None-Match: *`), so that of several writers exactly one succeeds. Address, region and credentials of a store come
from the usual variables (``AWS_ENDPOINT_URL``, ``AWS_REGION``, ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``).

Belongs here: requests, their limits in time, and the sentences for their errors. Not here: what the objects hold.
"""

import datetime as dt
import functools
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.storage.atomic_files import atomic_replace
from turret_pipeline.storage.object_store_faults import describe_store_fault

if TYPE_CHECKING:
    import obstore.store as stores

CHUNK_BYTES = 8 << 20
"""Files are sent and fetched in requests of this size, so that each ends in time, and is repeated alone."""

UNFINISHED_SECONDS = 3600
"""Age of a file that nobody can still be writing."""

COPY_SECONDS = 600
"""Limit of a request that copies an object within the store, which is one request whatever its size."""

ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")


@dataclass(frozen=True)
class Limits:
    """Limits in seconds: of one request, and of all repetitions of one request that fails."""

    request: float = 60
    repetition: float = 60


DEFAULT_LIMITS = Limits()


@dataclass(frozen=True)
class ObjectStore:
    """Objects below an address. Make one with ``open_object_store``.

    Each method raises FaultError, with the address and a remedy, if the store cannot be reached, denies access, is full
    or does not answer in time. A request that fails is repeated within the limits. A pickled store opens its connection
    anew, with the variables of the process that unpickles it.
    """

    url: str
    limits: Limits = DEFAULT_LIMITS

    def __reduce__(self) -> tuple[type["ObjectStore"], tuple[str, Limits]]:
        return ObjectStore, (self.url, self.limits)

    def put_new(self, name: str, content: bytes | Path, *, is_unique: bool = False) -> bool:
        """Store an object unless the name is taken, in one request; True if this call stored it.

        The content must fit in memory. ``is_unique``: no other writer stores these bytes, so that finding them under
        the name means that an earlier attempt of this request had arrived though its answer was lost.
        """
        import obstore

        data = content.read_bytes() if isinstance(content, Path) else content
        with self._naming_faults(f"storing {name}"):
            try:
                obstore.put(self._store, name, data, mode="create", use_multipart=False)
            except obstore.exceptions.AlreadyExistsError:
                return is_unique and self.read(name) == data
        return True

    def put_content(self, name: str, path: Path) -> bool:
        """Store a file of any size under a name that says its content, unless it is there; True if it was stored.

        Writers of the same name write the same bytes, so that it does not matter which of them is the last.
        """
        if path.stat().st_size <= CHUNK_BYTES:
            return self.put_new(name, path)
        if self.exists(name):
            return False
        self.put(name, path)
        return True

    def put(self, name: str, content: bytes | Path) -> None:
        """Store an object in place of the one with its name, if any."""
        import obstore

        with self._naming_faults(f"storing {name}"):
            obstore.put(self._store, name, content, chunk_size=CHUNK_BYTES, max_concurrency=2)

    def read(self, name: str) -> bytes:
        """Content of an object. Raises FileNotFoundError if there is none."""
        return b"".join(self._read_chunks(name))

    def download(self, name: str, path: Path) -> None:
        """Write an object to a file, which appears whole or not at all. Raises FileNotFoundError if there is none."""
        with atomic_replace(path) as temp, temp.open("wb") as file:
            for chunk in self._read_chunks(name):
                file.write(chunk)

    def exists(self, name: str) -> bool:
        """True if there is an object with this name."""
        return self._find_size(name) is not None

    def list_names(self, prefix: str = "") -> list[str]:
        """Names of the objects in a folder and below it, sorted."""
        return sorted(self.list_versions(prefix))

    def list_versions(self, prefix: str = "", *, after: str | None = None) -> dict[str, str]:
        """Versions of the objects in a folder and below it, by name: of all, or of those whose name sorts after one."""
        import obstore

        with self._naming_faults(f"listing {prefix or 'all objects'}"):
            found = obstore.list(self._store, prefix.rstrip("/") or None, offset=after, chunk_size=1000)
            return {str(entry["path"]): str(entry["e_tag"]) for page in found for entry in page}

    def remove(self, names: Iterable[str]) -> None:
        """Delete objects. Names without an object are passed over."""
        import obstore

        wanted = [*names]
        with self._naming_faults("deleting objects"):
            if self.folder is None:
                if wanted:
                    obstore.delete(self._store, wanted)  # up to 1,000 names in a request
                return
            for name in wanted:
                try:
                    obstore.delete(self._store, name)
                except FileNotFoundError:
                    continue

    def remove_unfinished(self) -> None:
        """Delete what killed writers left in a folder, in files that no list shows."""
        if self.folder is not None:
            oldest = time.time() - UNFINISHED_SECONDS
            for path in self.folder.rglob("*#[0-9]*"):
                with suppress(FileNotFoundError):
                    if path.stat().st_mtime < oldest:
                        path.unlink()

    def copy(self, name: str, target: str) -> None:
        """Copy an object within the store, in place of the one with the name ``target``, if any.

        Raises FileNotFoundError if there is no object to copy.
        """
        import obstore

        with self._naming_faults(f"copying {name}"):
            obstore.copy(self._connect(COPY_SECONDS), name, target)

    @property
    def folder(self) -> Path | None:
        """The folder of a shared file system; None for a store that is reached by S3's interface."""
        parts = urlsplit(self.url)
        if parts.scheme == "file":
            return Path(parts.path)
        return Path(self.url) if not parts.scheme else None

    @functools.cached_property
    def _store(self) -> Any:  # noqa: ANN401
        return self._connect(self.limits.request)

    def _connect(self, request_seconds: float) -> "stores.S3Store | stores.LocalStore":
        """A client of the store. Opening it sends no request."""
        from obstore.store import LocalStore, S3Store

        if self.folder is not None:
            return LocalStore(self.folder, mkdir=True)
        parts, endpoint = urlsplit(self.url), find_endpoint()
        return S3Store(
            parts.netloc,
            prefix=parts.path.strip("/") or None,
            config={"endpoint": endpoint} if endpoint else {},
            client_options={
                "allow_http": bool(endpoint and endpoint.startswith("http://")),
                "timeout": dt.timedelta(seconds=request_seconds),
                "connect_timeout": dt.timedelta(seconds=min(5, request_seconds)),
            },
            retry_config={
                "max_retries": 20,
                "retry_timeout": dt.timedelta(seconds=self.limits.repetition),
                "backoff": {"init_backoff": dt.timedelta(seconds=0.2), "max_backoff": dt.timedelta(seconds=5)},
            },
        )

    def _read_chunks(self, name: str) -> Iterator[bytes]:
        """The content of an object, all of one version of it. Raises FileNotFoundError if there is none."""
        import obstore

        with self._naming_faults(f"reading {name}"):
            try:
                first = obstore.get(self._store, name, options={"range": (0, CHUNK_BYTES)})
            except obstore.exceptions.GenericError:
                if self._find_size(name) == 0:  # of which no range can be had
                    return
                raise
            yield bytes(first.bytes())
            size, version = first.meta["size"], first.meta["e_tag"]
            for start in range(CHUNK_BYTES, size, CHUNK_BYTES):
                span = (start, min(start + CHUNK_BYTES, size))
                rest = obstore.get(self._store, name, options={"range": span, "if_match": version})
                yield bytes(rest.bytes())

    def _find_size(self, name: str) -> int | None:
        """Size of an object in bytes; None if there is none."""
        import obstore

        with self._naming_faults(f"looking for {name}"):
            try:
                return int(obstore.head(self._store, name)["size"])
            except FileNotFoundError:
                return None

    @contextmanager
    def _naming_faults(self, action: str) -> Iterator[None]:
        """Turn errors of the store into sentences. A missing object stays FileNotFoundError."""
        import obstore

        try:
            yield
        except FileNotFoundError as error:
            if "NoSuchBucket" not in str(error):
                raise FileNotFoundError(f"{self.url} has no such object ({action})") from None
            raise self._fault(error, action) from None
        except (obstore.exceptions.BaseError, OSError) as error:
            raise self._fault(error, action) from None

    def _fault(self, error: BaseException, action: str) -> FaultError:
        endpoint = find_endpoint() if self.folder is None else None
        return FaultError(describe_store_fault(error, self.url, endpoint, action))


def find_endpoint() -> str | None:
    """The address of the S3 service by the environment; None for that of Amazon. Raises TurretError if it is none."""
    name = next((name for name in ENDPOINTS if os.environ.get(name)), None)
    if name is None:
        return None
    parts = urlsplit(os.environ[name])
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise TurretError(f"The address in {name} has another form than https://HOST or http://HOST:PORT: correct it.")
    return os.environ[name]


def open_object_store(url: str, limits: Limits = DEFAULT_LIMITS) -> ObjectStore:
    """The store at s3://BUCKET/PREFIX, or in the folder file:///PATH or /PATH. No request is sent yet.

    Raises TurretError if the address has another form, or the libraries of the extra s3 are missing.
    """
    check_store_url(url)
    try:
        import obstore  # noqa: F401
    except ImportError:
        raise TurretError(
            "The setting object_store needs the library obstore: pip install 'turret-pipeline[s3]'."
        ) from None
    return ObjectStore(url.rstrip("/"), limits)


def check_store_url(url: str) -> str:
    """The address of an object store. Raises TurretError, without the address, if it has another form or a login."""
    parts = urlsplit(url)
    is_bucket = parts.scheme == "s3" and bool(parts.netloc) and "@" not in parts.netloc
    is_folder = parts.scheme in {"", "file"} and not parts.netloc and parts.path.startswith("/") and parts.path != "/"
    if not (is_bucket or is_folder) or parts.query or parts.fragment:
        raise TurretError(
            "The address in object_store has another form than s3://BUCKET/PREFIX, file:///FOLDER or /FOLDER: correct "
            "it, and give credentials in the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY."
        )
    return url

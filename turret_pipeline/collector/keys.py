"""API keys: shown once, kept as a hash in a file that only its owner can read.

A key is ``turret_<id>_<secret>``. The secret has 256 random bits, so that a plain hash of it tells nothing.
"""

import contextlib
import datetime as dt
import hashlib
import hmac
import os
import secrets
import stat
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson
from filelock import FileLock

from turret_pipeline.collector.plans import Plan
from turret_pipeline.collector.projects import checked_name
from turret_pipeline.errors import TurretError

_MARK = "turret"
_NO_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()  # what an unknown key is compared with


@dataclass(frozen=True)
class Key:
    """A key of a project, without its secret."""

    key_id: str
    project: str
    sha256: str
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True)
class Keys:
    """All keys, and the plan of each project."""

    keys: dict[str, Key] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)

    def owner(self, presented: str) -> Key | None:
        """The live key that was presented. No key, a wrong one and a revoked one cost the same and look the same."""
        parts = presented.split("_", 2)
        key = self.keys.get(parts[1]) if len(parts) == 3 else None
        is_right = hmac.compare_digest(_hash(presented), key.sha256 if key else _NO_HASH)
        return key if key and is_right and key.revoked_at is None else None

    def plan(self, project: str) -> Plan:
        """The plan of a project."""
        return self.plans.get(project, Plan())


class KeyFile:
    """The file of all keys, mode 0600 in a folder of mode 0700; every change is one rename."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"

    def read(self) -> Keys:
        """All keys; none where there is no file. TurretError where it cannot be read."""
        try:
            raw = orjson.loads(self.path.read_bytes())
            keys = {item["key_id"]: Key(**item) for item in raw["keys"]}
            return Keys(keys, {name: Plan(**plan) for name, plan in raw["plans"].items()})
        except FileNotFoundError:
            return Keys()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TurretError(
                f"The file of keys {self.path} cannot be read: {error}. Mend it, or put it back."
            ) from None

    def create(self, project: str, plan: Plan | None = None) -> tuple[str, Key]:
        """A new key of a project as text, which is not kept, and what is kept of it."""
        with self._changing() as keys:
            return _add(keys, checked_name(project), plan)

    def revoke(self, name: str) -> Key:
        """End a key, named by its id or by the project whose only live key it is."""
        with self._changing() as keys:
            return _end(keys, _named(keys, name))

    def rotate(self, name: str) -> tuple[str, Key]:
        """A new key for the project of this one, which ends."""
        with self._changing() as keys:
            old = _end(keys, _named(keys, name))
            return _add(keys, old.project, None)

    @contextlib.contextmanager
    def _changing(self) -> Iterator[Keys]:
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self.path.parent.chmod(0o700)
            with FileLock(self.path.with_suffix(".lock"), mode=0o600):
                keys = self.read()
                yield keys
                _write(self.path, keys)
        except OSError as error:
            raise TurretError(f"The file of keys {self.path} cannot be written: {error.strerror}.") from None


class KeyRing:
    """The keys as a server sees them: read again when the file changes, which is looked at once a second."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._keys = Keys()

    def current(self) -> Keys:
        """The keys as they were last read."""
        return self._keys

    def refresh(self) -> str | None:
        """Read the file if it changed. A sentence where it cannot be read, or others could read it."""
        try:
            status = self._file.path.stat()
        except OSError:
            status = None
        seen = (status.st_mtime_ns, status.st_ino) if status else None
        if seen == self._seen:
            return None
        self._seen = seen
        try:
            self._keys = self._file.read()
        except TurretError as error:
            return str(error)
        if status and stat.S_IMODE(status.st_mode) & 0o077:
            self._file.path.chmod(0o600)
            return f"The file of keys {self._file.path} could be read by others; now only its owner can."
        return None


def _add(keys: Keys, project: str, plan: Plan | None) -> tuple[str, Key]:
    key_id = secrets.token_hex(6)
    text = f"{_MARK}_{key_id}_{secrets.token_urlsafe(32)}"
    key = Key(key_id, project, _hash(text), _now())
    keys.keys[key_id] = key
    keys.plans[project] = plan or keys.plan(project)
    return text, key


def _end(keys: Keys, key: Key) -> Key:
    if key.revoked_at:
        raise TurretError(f"The key {key.key_id} was revoked at {key.revoked_at} already.")
    keys.keys[key.key_id] = replace(key, revoked_at=_now())
    return keys.keys[key.key_id]


def _named(keys: Keys, name: str) -> Key:
    if name in keys.keys:
        return keys.keys[name]
    live = [key for key in keys.keys.values() if key.project == name and key.revoked_at is None]
    if len(live) == 1:
        return live[0]
    if live:
        ids = ", ".join(key.key_id for key in live)
        raise TurretError(f"The project {name} has {len(live)} live keys: say which, {ids}.")
    raise TurretError(f"There is no live key {name!r}, and no project of that name has one; see `turret keys list`.")


def _write(path: Path, keys: Keys) -> None:
    body = {"plans": {name: asdict(plan) for name, plan in keys.plans.items()}}
    raw = orjson.dumps({**body, "keys": [asdict(key) for key in keys.keys.values()]}, option=orjson.OPT_INDENT_2)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".keys-")  # mode 0600
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(raw)
            file.flush()
            os.fsync(descriptor)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

"""API keys: shown once, stored as hashes in a file that only its owner can read.

A key is ``turret_<id>_<secret>``. The secret has 256 random bits, so a plain hash is enough to protect it.
"""

import contextlib
import datetime as dt
import hashlib
import hmac
import secrets
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import orjson

from turret_pipeline.collector.plans import Plan
from turret_pipeline.collector.projects import validate_project_name
from turret_pipeline.errors import TurretError
from turret_pipeline.private_files import (
    Version,
    hide_from_others,
    lock_private_file,
    read_version,
    replace_private_file,
)

_PREFIX = "turret"
_DUMMY_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()  # unknown keys are compared with it


@dataclass(frozen=True)
class Key:
    """Key of a project, without its secret."""

    key_id: str
    project: str
    sha256: str
    created_at: str
    revoked_at: str | None = None


@dataclass(frozen=True)
class Keys:
    """All keys by id, and the plan of each project."""

    keys: dict[str, Key] = field(default_factory=dict)
    plans: dict[str, Plan] = field(default_factory=dict)

    def authenticate(self, text: str) -> Key | None:
        """Active key with this text, else None. A missing, a wrong and a revoked key take the same time."""
        parts = text.split("_", 2)
        key = self.keys.get(parts[1]) if len(parts) == 3 else None
        is_correct = hmac.compare_digest(_hash(text), key.sha256 if key else _DUMMY_HASH)
        return key if key and is_correct and key.revoked_at is None else None

    def plan(self, project: str) -> Plan:
        """Plan of a project, by default a custom plan without a limit."""
        return self.plans.get(project, Plan())


class KeyFile:
    """File of all keys, with mode 0600 in a folder with mode 0700. Each change replaces the file by one rename."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "keys.json"

    def read(self) -> Keys:
        """All keys; none if there is no file. Raises TurretError if the file cannot be read."""
        try:
            raw = orjson.loads(self.path.read_bytes())
            keys = {item["key_id"]: Key(**item) for item in raw["keys"]}
            return Keys(keys, {name: Plan(**plan) for name, plan in raw["plans"].items()})
        except FileNotFoundError:
            return Keys()
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TurretError(
                f"The key file {self.path} cannot be read: {error}. Correct it or restore it from a backup."
            ) from None

    def create(self, project: str, plan: Plan | None = None) -> tuple[str, Key]:
        """Create a key for a project. Return its text, which is not stored, and the stored key."""
        with self._update() as keys:
            return _add(keys, validate_project_name(project), plan)

    def revoke(self, name: str) -> Key:
        """Revoke a key, given its id, or the name of a project with only one active key."""
        with self._update() as keys:
            return _revoke(keys, _find(keys, name))

    def rotate(self, name: str) -> tuple[str, Key]:
        """Revoke a key and create another for the same project. Return its text and the stored key."""
        with self._update() as keys:
            old = _revoke(keys, _find(keys, name))
            return _add(keys, old.project, None)

    @contextlib.contextmanager
    def _update(self) -> Iterator[Keys]:
        """Lock the file, read the keys, and write them back at the end."""
        try:
            with lock_private_file(self.path):
                keys = self.read()
                yield keys
                _write(self.path, keys)
        except OSError as error:
            raise TurretError(f"The key file {self.path} cannot be written: {error.strerror}.") from None


class KeyRing:
    """Keys of a running server, read again when the file changes."""

    def __init__(self, file: KeyFile) -> None:
        self._file = file
        self._version: Version | None = None
        self._keys = Keys()

    def current(self) -> Keys:
        """Keys as last read."""
        return self._keys

    def refresh(self) -> str | None:
        """Read the file if it changed. Return a warning if it cannot be read or if others could read it, else None."""
        version = read_version(self._file.path)
        if version == self._version:
            return None
        self._version = version
        try:
            self._keys = self._file.read()
        except TurretError as error:
            return str(error)
        if version and hide_from_others(self._file.path):
            return f"The key file {self._file.path} could be read by others; its mode is now 0600."
        return None


def _add(keys: Keys, project: str, plan: Plan | None) -> tuple[str, Key]:
    key_id = secrets.token_hex(6)
    text = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    key = Key(key_id, project, _hash(text), _now())
    keys.keys[key_id] = key
    keys.plans[project] = plan or keys.plan(project)
    return text, key


def _revoke(keys: Keys, key: Key) -> Key:
    if key.revoked_at:
        raise TurretError(f"Key {key.key_id} was already revoked at {key.revoked_at}.")
    keys.keys[key.key_id] = replace(key, revoked_at=_now())
    return keys.keys[key.key_id]


def _find(keys: Keys, name: str) -> Key:
    """Key with this id, or the only active key of the project with this name."""
    if name in keys.keys:
        return keys.keys[name]
    active = [key for key in keys.keys.values() if key.project == name and key.revoked_at is None]
    if len(active) == 1:
        return active[0]
    if active:
        ids = ", ".join(key.key_id for key in active)
        raise TurretError(f"Project {name} has {len(active)} active keys: give the id of one of {ids}.")
    raise TurretError(f"No active key found for {name!r}: run `turret keys list` to see all keys and projects.")


def _write(path: Path, keys: Keys) -> None:
    body = {"plans": {name: asdict(plan) for name, plan in keys.plans.items()}}
    raw = orjson.dumps({**body, "keys": [asdict(key) for key in keys.keys.values()]}, option=orjson.OPT_INDENT_2)
    replace_private_file(path, raw)


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

"""Credentials of the dashboard: names with a password, for browsers, or with a token, for scripts.

They are in a file that only its owner can read. Passwords are stored as scrypt hashes. A token is
``turretdash_<id>_<secret>``; its secret has 256 random bits, so a plain hash is enough to protect it.
"""

import contextlib
import datetime as dt
import hashlib
import hmac
import logging
import re
import secrets
import threading
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import orjson

from turret_pipeline.dashboard.passwords import hash_password
from turret_pipeline.errors import TurretError, list_names
from turret_pipeline.private_files import (
    Version,
    hide_from_others,
    lock_private_file,
    read_version,
    replace_private_file,
)

logger = logging.getLogger(__name__)

Role = Literal["viewer", "admin"]
Kind = Literal["password", "token"]
ROLES: tuple[Role, ...] = get_args(Role)
_PREFIX = "turretdash"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+-]{0,63}")
_DUMMY_HASH = hashlib.sha256(secrets.token_bytes(32)).hexdigest()  # unknown tokens are compared with it


@dataclass(frozen=True)
class Credential:
    """A name with a role. ``projects`` are those that it opens; all if empty. ``token_id`` is empty for people."""

    name: str
    role: Role
    secret_hash: str
    created_at: str
    projects: tuple[str, ...] = ()
    token_id: str = ""

    @property
    def kind(self) -> Kind:
        """The thing that proves the name: a password or a token."""
        return "token" if self.token_id else "password"


@dataclass(frozen=True)
class Credentials:
    """All credentials by name."""

    by_name: dict[str, Credential]

    def __bool__(self) -> bool:
        return bool(self.by_name)

    def find_person(self, name: str) -> Credential | None:
        """The credential of a name with a password."""
        credential = self.by_name.get(name)
        return credential if credential and credential.kind == "password" else None

    def find_token(self, text: str) -> Credential | None:
        """The credential with this token. An unknown and a wrong token take the same time."""
        parts = text.split("_", 2)
        token_id = parts[1] if len(parts) == 3 else ""
        found = next((each for each in self.by_name.values() if token_id and each.token_id == token_id), None)
        is_correct = hmac.compare_digest(_hash_token(text), found.secret_hash if found else _DUMMY_HASH)
        return found if is_correct else None


class CredentialFile:
    """File of all credentials, with mode 0600 in a folder with mode 0700. Each change replaces it by one rename."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "credentials.json"

    def read(self) -> Credentials:
        """All credentials; none if there is no file. Raises TurretError if the file cannot be read."""
        try:
            rows = orjson.loads(self.path.read_bytes())["credentials"]
            return Credentials({row["name"]: _parse(row) for row in rows})
        except FileNotFoundError:
            return Credentials({})
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise TurretError(
                f"The file of credentials {self.path} cannot be read: {error}. Correct it or restore it from a backup."
            ) from None

    def add_password(self, name: str, role: Role, password: str, projects: Sequence[str] = ()) -> Credential:
        """Add a name with a password. Raises TurretError if the name is taken, or name or password are invalid."""
        self.check_new(name)
        return self._add(Credential(name, role, hash_password(password), _now(), tuple(projects)))

    def add_token(self, name: str, role: Role, projects: Sequence[str] = ()) -> tuple[str, Credential]:
        """Add a name with a token. Return the token, which is not stored, and the credential."""
        token_id = secrets.token_hex(6)
        text = f"{_PREFIX}_{token_id}_{secrets.token_urlsafe(32)}"
        return text, self._add(Credential(name, role, _hash_token(text), _now(), tuple(projects), token_id))

    def remove(self, name: str) -> Credentials:
        """Remove a name. Return the credentials that are left."""
        with self._update() as credentials:
            if credentials.by_name.pop(name, None) is None:
                raise TurretError(f"Unknown name {name!r}. Names with access: {list_names(list(credentials.by_name))}.")
            return credentials

    def check_new(self, name: str) -> None:
        """Raise TurretError if the name is invalid or taken."""
        _check_name(name, self.read())

    def _add(self, credential: Credential) -> Credential:
        with self._update() as credentials:
            _check_name(credential.name, credentials)
            credentials.by_name[credential.name] = credential
            return credential

    @contextlib.contextmanager
    def _update(self) -> Iterator[Credentials]:
        """Lock the file, read the credentials, and write them back at the end."""
        try:
            with lock_private_file(self.path):
                credentials = self.read()
                yield credentials
                rows = [asdict(each) for each in credentials.by_name.values()]
                replace_private_file(self.path, orjson.dumps({"credentials": rows}, option=orjson.OPT_INDENT_2))
        except OSError as error:
            raise TurretError(f"The file of credentials {self.path} cannot be written: {error.strerror}.") from None


class CurrentCredentials:
    """Credentials of a running server, read again when the file changes.

    A file that cannot be read changes nothing, so that damage opens the dashboard to nobody.
    """

    def __init__(self, file: CredentialFile) -> None:
        self._file = file
        self._version = read_version(file.path)
        self._credentials = file.read()
        # otherwise a thread that read the file before a removal could store it after one that read it later
        self._lock = threading.Lock()
        self._hide()

    def get(self) -> Credentials:
        """The credentials now."""
        with self._lock:
            version = read_version(self._file.path)
            if version != self._version:
                self._read(version)
            return self._credentials

    def _read(self, version: Version | None) -> None:
        self._version = version
        try:
            self._credentials = self._file.read()
            self._hide()
        except TurretError as error:
            logger.error("%s The credentials as they were before stay in force.", error)

    def _hide(self) -> None:
        try:
            if hide_from_others(self._file.path):
                logger.warning("%s could be read by others; its mode is now 0600.", self._file.path)
        except OSError as error:
            if self._version is not None:
                logger.warning("Others may be able to read %s: %s.", self._file.path, error.strerror)


def _parse(row: dict[str, Any]) -> Credential:
    """A credential of the file. Raises TypeError or ValueError if it is not one."""
    credential = Credential(**{**row, "projects": tuple(row["projects"])})
    texts = (credential.name, credential.secret_hash, credential.created_at, credential.token_id, *credential.projects)
    if credential.role not in ROLES or not all(isinstance(text, str) for text in texts):
        raise ValueError(f"invalid credential {credential.name!r}")
    return credential


def _check_name(name: str, credentials: Credentials) -> None:
    if not _NAME.fullmatch(name):
        raise TurretError(
            f"Invalid name {name!r}: use up to 64 letters, digits and . _ @ + -, a letter or digit first."
        )
    if name in credentials.by_name:
        raise TurretError(f"{name} has access already: run `turret access remove {name}` first to replace it.")


def _hash_token(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _now() -> str:
    return dt.datetime.now(dt.UTC).isoformat(timespec="seconds")

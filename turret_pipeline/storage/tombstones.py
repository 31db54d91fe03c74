"""Tombstones: what was erased and may never come back, as keyed hashes, and the log of erasures without any value.

They are in the folder ``forgotten`` of the data folder: ``key`` (of the hashes), ``tombstones.parquet``,
``pending.jsonl`` (requests that no published run has carried out yet) and ``erasures.jsonl`` (the log).
"""

import datetime as dt
import functools
import getpass
import json
import re
import secrets
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.errors import TurretError
from turret_pipeline.private_files import make_private_folder, replace_private_file
from turret_pipeline.scrubbing.identifiers import ErasedIds, hash_with_key
from turret_pipeline.storage.atomic_files import atomic_replace, lock_file, remove
from turret_pipeline.storage.json_lines import read_objects

USER, SESSION, EVENT, FILE, BEFORE = "user", "session", "event", "file", "before"
SCHEMA = pl.Schema({"kind": pl.String(), "hash": pl.String()})
"""A tombstone. That of kind before holds a time in place of a hash."""

KEY_BYTES = 32

_STRING = re.compile(r'"((?:[^"\\]|\\.)*+)(?:"|\Z)', re.DOTALL)
_NUMBER_OF_ID = re.compile(r'(?i)"[^"]*(?:user|id|person|actor|author|account|customer|visitor)"\s*:\s*(\d+)')
_CELL = re.compile(r'[^,;\t|\n"]+')
_WORD = re.compile(r"\w+")
_JOINED_WORDS = re.compile(r"[\w@.+:|$~-]+")
_SHORT_NUMBER = re.compile(r"\s*\d{1,4}\s*")
"""As bare words and cells, such numbers are mostly no ids, and a row must not go for a quantity of 7."""


@dataclass(frozen=True)
class Tombstones:
    """The tombstones in a folder. Nothing is written before the first one is added."""

    folder: Path

    def hash(self, kind: str, value: str) -> str:
        """The keyed hash of a value. Without the key, nobody can find out whether a known id was erased."""
        return hash_with_key(value, self._key, kind)

    def erased_ids(self) -> "ErasedIds | None":
        """The test of raw ids of users, for the processes that read files; None if no user was erased."""
        hashes = self.hashes(USER)
        return ErasedIds(self._key, hashes) if hashes else None

    def add(self, kind: str, values: Iterable[str]) -> None:
        """Add tombstones of ids, of one kind."""
        self._add((kind, self.hash(kind, value)) for value in values)

    def add_cutoff(self, before: dt.datetime) -> None:
        """Add the tombstone of everything before a time."""
        self._add([(BEFORE, before.isoformat())])

    def is_empty(self) -> bool:
        """True if nothing was ever erased here."""
        return not self._file.exists()

    def hashes(self, kind: str) -> frozenset[str]:
        """All hashes of a kind."""
        return frozenset(self._read().filter(pl.col("kind") == kind)["hash"])

    def cutoff(self) -> dt.datetime | None:
        """The time before which everything was erased; None if nothing was erased by its time."""
        times = self._read().filter(pl.col("kind") == BEFORE)["hash"]
        return max(map(dt.datetime.fromisoformat, times), default=None)

    def select(self, kind: str, values: Iterable[str]) -> list[str]:
        """Those of the values that have a tombstone, or are the hash of one (see Privacy)."""
        hashes = self.hashes(kind)
        return [value for value in values if value in hashes or self.hash(kind, value) in hashes] if hashes else []

    def request(self, kind: str, count: int, requested_at: dt.datetime) -> None:
        """Note that an erasure is to be carried out, durably: the next run does it if this one is killed."""
        row = {"kind": kind, "count": count, "by": _find_login(), "requested_at": requested_at.isoformat()}
        self._append(self._pending, row)

    def pending(self) -> list[dict[str, Any]]:
        """Requests that no published run has carried out yet."""
        return [row for _, row in read_objects(self._pending, "pending erasures")]

    def log(self, erased_at: dt.datetime, counts: Mapping[str, int], run_id: str) -> None:
        """Append a line to the log: when, by whom, which kinds and how many rows; no value."""
        requests = [{name: row[name] for name in ("kind", "count", "by")} for row in self.pending()]
        row = {"erased_at": erased_at.isoformat(), "run_id": run_id, "requests": requests, **counts}
        self._append(self._log, row)

    def finish(self) -> None:
        """Note that a published run carried out what was requested."""
        remove(self._pending)

    def list_erasures(self) -> list[dict[str, Any]]:
        """The lines of the log, oldest first."""
        return [row for _, row in read_objects(self._log, "log of erasures")]

    @functools.cached_property
    def _key(self) -> bytes:
        """The key, made when the first tombstone is added."""
        file = self.folder / "key"
        self._make_folder()
        with lock_file(file):
            if not file.exists():
                if self._file.exists():
                    raise TurretError(
                        f"The key {file} of the tombstones is missing: restore it from a backup. Without it, old files "
                        "would bring back what was erased."
                    )
                replace_private_file(file, secrets.token_bytes(KEY_BYTES))
        return file.read_bytes()

    def _add(self, rows: Iterable[tuple[str, str]]) -> None:
        added = pl.DataFrame(list(rows), SCHEMA, orient="row")
        self._make_folder()
        with lock_file(self._file):
            known = self._read()
            merged = pl.concat([known, added]).unique(maintain_order=True)
            if merged.height > known.height:
                with atomic_replace(self._file) as temp:
                    merged.write_parquet(temp)

    def _read(self) -> pl.DataFrame:
        return pl.read_parquet(self._file, glob=False) if self._file.exists() else SCHEMA.to_frame()

    def _append(self, file: Path, row: Mapping[str, object]) -> None:
        self._make_folder()
        with lock_file(file):
            before = file.read_bytes() if file.exists() else b""
            replace_private_file(file, before + json.dumps(row).encode() + b"\n")

    def _make_folder(self) -> None:
        make_private_folder(self.folder)

    @property
    def _file(self) -> Path:
        return self.folder / "tombstones.parquet"

    @property
    def _pending(self) -> Path:
        return self.folder / "pending.jsonl"

    @property
    def _log(self) -> Path:
        return self.folder / "erasures.jsonl"


def list_tokens(text: str) -> Iterator[str]:
    """Everything in a text that may be an id, in time proportional to its length.

    Strings of JSON, numbers of keys that name an id, cells of delimited text, words, and words joined by signs.
    """
    for found in _STRING.finditer(text):
        yield found[1]
        if "\\" in found[1]:
            with suppress(ValueError):
                yield str(json.loads(f'"{found[1]}"'))
    yield from _NUMBER_OF_ID.findall(text)
    for pattern in (_CELL, _WORD, _JOINED_WORDS):
        for token in pattern.findall(text):
            if not _SHORT_NUMBER.fullmatch(token):
                yield token.strip()
                yield token.rstrip(".:|+-@")


def _find_login() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a user without a name, in a container
        return "unknown"

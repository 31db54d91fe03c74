"""Notes about contents that were read: the files that had them, and the replays of their rejected rows."""

import datetime as dt
import hashlib
import json
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.errors import FaultError, TurretError
from turret_pipeline.private_files import open_private
from turret_pipeline.storage.atomic_files import atomic_replace

FIXED_LINES_SCHEMA = pl.Schema({"content_sha256": pl.String(), "line_number": pl.Int64()})


@dataclass(frozen=True)
class Signatures:
    """The hashes of files by their signature (``source_files.file_signature``), a line each."""

    file: Path

    def hashes(self) -> dict[str, str]:
        """The hash of each signature."""
        return dict(filter(_is_signature, _read_json_lines(self.file)))

    def paths(self) -> dict[str, list[str]]:
        """The paths of the files that had a content, by its hash, in the order of reading."""
        found: dict[str, list[str]] = {}
        for signature, sha in self.hashes().items():
            found.setdefault(sha, []).append(signature.rsplit(" ", 2)[0])
        return found

    def remember(self, signature: str, content_sha256: str) -> None:
        """Record the content of a file, so that it is not hashed again while its signature is the same."""
        _append_json_line(self.file, [signature, content_sha256])

    def count_damaged(self) -> int:
        """Lines of the file of signatures that are damaged or cut off."""
        if not self.file.is_file():
            return 0
        lines = [line for line in self.file.read_bytes().split(b"\n") if line.strip()]
        return len(lines) - len([value for value in _read_json_lines(self.file) if _is_signature(value)])

    def drop_damaged(self) -> None:
        """Write the file of the signatures without damaged lines."""
        self._write(filter(_is_signature, _read_json_lines(self.file)))

    def drop_superseded(self) -> None:
        """Write the file without earlier signatures of files that have changed since, if these are most of the lines.

        So it does not grow with each change of a file.
        """
        lines = [value for value in _read_json_lines(self.file) if _is_signature(value)]
        latest = {signature.rsplit(" ", 2)[0]: [signature, sha] for signature, sha in lines}
        if len(lines) > 2 * len(latest):
            self._write(latest.values())

    def _write(self, values: Iterable[object]) -> None:
        with atomic_replace(self.file) as temp:
            temp.write_text("".join(f"\n{json.dumps(value)}" for value in values), encoding="utf-8")


@dataclass(frozen=True)
class Replays:
    """Contents that were read again, with the rejected lines that were accepted from elsewhere."""

    file: Path

    def record(self, content_sha256: str, fixed_lines: Iterable[int], replayed_at: dt.datetime) -> None:
        """Record that a content was read again, and the rejected lines of it that were accepted from elsewhere."""
        replay = {
            "content_sha256": content_sha256,
            "mended_lines": sorted(fixed_lines),
            "replayed_at": replayed_at.isoformat(),
        }
        replays = [*self._read(), replay]
        body = "".join(f"{json.dumps(one)}\n" for one in replays)
        with atomic_replace(self.file) as temp:
            temp.write_text(f'{body}{{"sha256": "{_hash_text(body)}"}}\n', encoding="utf-8")

    def fixed_lines(self) -> pl.DataFrame:
        """FIXED_LINES_SCHEMA of the rejected lines that were accepted from elsewhere."""
        replays = self._read()
        lines = {(replay["content_sha256"], line) for replay in replays for line in replay["mended_lines"]}
        return pl.DataFrame(sorted(lines), FIXED_LINES_SCHEMA, orient="row")

    def _read(self) -> list[dict[str, Any]]:
        """The replays, oldest first. Raises FaultError if their file is damaged.

        The last line is the checksum of the others. Files of earlier versions start with an empty line and have none.
        """
        if not self.file.exists():
            return []
        content = self.file.read_bytes()
        if content.startswith(b"\n"):
            return [value for value in _read_json_lines(self.file) if isinstance(value, dict)]
        *lines, check = content.rstrip(b"\n").rsplit(b"\n", 1)
        body = b"".join(line + b"\n" for line in lines)
        if check != f'{{"sha256": "{_hash_text(body.decode(errors="replace"))}"}}'.encode():
            raise FaultError(
                f"{self.file} is damaged; it says which rejected rows were fixed: restore it from a backup, or "
                "remove it and run turret replay."
            )
        return [json.loads(line) for line in body.splitlines()]

    def describe_damage(self) -> str | None:
        """The damage of the file of the replays; None if it has none."""
        try:
            self._read()
        except (TurretError, ValueError, OSError):
            return "is damaged; it says which rejected rows were fixed"
        return None


def merge_replays(remote: bytes, local: bytes) -> bytes:
    """The replays of two machines as one file, those of the first one first. Raises ValueError for a damaged file."""
    lines = [line for content in (remote, local) for line in content.splitlines() if line.strip()]
    rows = [row for row in map(json.loads, dict.fromkeys(lines)) if "content_sha256" in row]
    body = "".join(f"{json.dumps(row)}\n" for row in rows)
    return f'{body}{{"sha256": "{_hash_text(body)}"}}\n'.encode()


INGEST_MERGES = {"lake/parts/replays.jsonl": merge_replays}
"""Merges of lists that two machines changed at the same time, by their path in the data folder."""


def _hash_text(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _is_signature(value: object) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(isinstance(part, str) for part in value)


def _append_json_line(path: Path, value: object) -> None:
    """Append a line, after a line end of its own: the last line may have been cut off."""
    with open(path, "a", encoding="utf-8", opener=open_private) as file:
        file.write("\n" + json.dumps(value))


def _read_json_lines(path: Path) -> list[Any]:
    """The values in a file, without lines that are damaged, or cut off because their writer was killed."""
    values = []
    for line in path.read_bytes().split(b"\n") if path.exists() else ():
        with suppress(ValueError):
            values.append(json.loads(line))
    return values

"""Checksums of stored files, so that damage is found before a damaged value reaches a table.

A folder that is written once has its checksums beside its files, in a file that also checks itself. A file that is
written once and can be made again has the hash of its content in its name.
"""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from turret_pipeline.storage.atomic_files import remove

CHECKSUMS = "checksums.json"
_BUFFER = 1 << 20
_NAMED = re.compile(r".+-([0-9a-f]{16})\.[a-z]+")


def hash_file(path: Path) -> str:
    """SHA-256 of a file's content. Raises OSError if it cannot be read."""
    found = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_BUFFER):
            found.update(data)
    return found.hexdigest()


def write_checksums(folder: Path, note: Mapping[str, object] | None = None) -> None:
    """Write the checksums of the files in a folder, and a note about them that must survive the loss of any of them.

    Files with the hash of their content in their name need none.
    """
    paths = [path for path in sorted(folder.iterdir()) if path.name != CHECKSUMS and not has_hash_in_name(path)]
    files = {path.name: hash_file(path) for path in paths}
    body = json.dumps({"files": files, "note": dict(note or {})}, sort_keys=True)
    check = hashlib.sha256(body.encode()).hexdigest()
    (folder / CHECKSUMS).write_text(json.dumps({"sha256": check, "body": body}), encoding="utf-8")


@contextmanager
def changing(folder: Path) -> Iterator[None]:
    """Let files of a folder change: it has no checksums meanwhile, and those of the new contents afterwards."""
    known = read_checksums(folder)
    remove(folder / CHECKSUMS)
    yield
    if folder.is_dir():
        write_checksums(folder, None if known is None else known[1])


def read_checksums(folder: Path) -> tuple[dict[str, str], dict[str, object]] | None:
    """Checksums by file name, and the note; None if an earlier version wrote none, or if they are damaged."""
    try:
        found = json.loads((folder / CHECKSUMS).read_bytes())
        if hashlib.sha256(found["body"].encode()).hexdigest() != found["sha256"]:
            return None
        body = json.loads(found["body"])
        return body["files"], body["note"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def find_changed(folder: Path) -> list[str]:
    """Names of the files of a folder that are missing or not as they were written; none without checksums."""
    known = read_checksums(folder)
    return [] if known is None else [name for name, sha in known[0].items() if not _has_hash(folder / name, sha)]


def name_by_content(path: Path, content: Path) -> Path:
    """The path with the hash of the content in its name."""
    return path.with_name(f"{path.stem}-{hash_file(content)[:16]}{path.suffix}")


def is_as_named(path: Path) -> bool:
    """False if the content is not the one whose hash is in the name. True for names without a hash."""
    named = _NAMED.fullmatch(path.name)
    return named is None or _has_hash(path, named[1])


def has_hash_in_name(path: Path) -> bool:
    """True if the name of the file has the hash of its content."""
    return _NAMED.fullmatch(path.name) is not None


def _has_hash(path: Path, begin: str) -> bool:
    try:
        return hash_file(path).startswith(begin)
    except OSError:
        return False

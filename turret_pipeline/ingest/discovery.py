"""Which files there are to read: behind paths, folders, globs and object-store addresses."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.reading import COMPRESSED

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
Place = TypeVar("Place", Path, UPath)


def discover(patterns: Sequence[str]) -> list[Path | UPath]:
    """The input files behind paths, folders, globs and URLs, sorted, each once. TurretError where one finds nothing."""
    found: dict[str, Path | UPath] = {}
    for pattern in patterns:
        found.update((str(path), path) for path in (_remote(pattern) if "://" in pattern else _local(pattern)))
    return [found[name] for name in sorted(found)]


def _local(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return _of_folder(path, pattern)
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob takes no absolute pattern
    files = [file for file in map(Path, matches) if file.is_file()]
    if not files:
        verdict = "matches no file" if glob.has_magic(pattern) else "does not exist"
        raise TurretError(f"The input {pattern} {verdict}: check the path.")
    return files


def _remote(pattern: str) -> list[UPath]:
    """Files of an object store, such as s3://bucket/folder or gs://bucket/2026-*/events.jsonl.gz."""
    try:
        start = UPath(pattern)
        if glob.has_magic(pattern):
            address, _, rest = pattern.partition("://")
            bucket, _, below = rest.partition("/")
            files = [
                file for file in UPath(f"{address}://{bucket}/").glob(below) if file.name[0] != "." and file.is_file()
            ]
        else:
            files = [start] if start.is_file() else _of_folder(start, pattern) if start.is_dir() else []
    except ImportError as error:
        raise TurretError(
            f"The input {pattern} needs a library that is not installed ({error}): pip install 'turret-pipeline[s3]', "
            "or fsspec's library for that store."
        ) from None
    except ValueError as error:
        raise TurretError(f"The input {pattern} is no address that can be read: {error}.") from None
    except OSError as error:
        raise TurretError(f"The input {pattern} cannot be listed: {error}. Check the address and the access.") from None
    if not files:
        raise TurretError(f"The input {pattern} finds no object: check the address.")
    return files


def _of_folder(folder: Place, pattern: str) -> list[Place]:
    files = list(event_files(folder))
    if not files:
        raise TurretError(
            f"The input folder {pattern} has no event file: put {', '.join(SUFFIXES)} (also {' or '.join(COMPRESSED)}) "
            "there."
        )
    return files


def event_files(folder: Place) -> Iterator[Place]:
    """The files under a folder whose names are those of events; hidden ones are somebody's unfinished work."""
    return (path for path in folder.rglob("*") if _is_event_file(path) and path.is_file())


def _is_event_file(path: Path | UPath) -> bool:
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return not path.name.startswith(".") and name.endswith(SUFFIXES)

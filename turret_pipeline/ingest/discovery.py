"""Search for input files in paths, folders, globs and object stores."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.reading import COMPRESSED

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")
AnyPath = TypeVar("AnyPath", Path, UPath)


def discover(patterns: Sequence[str]) -> list[Path | UPath]:
    """Input files of paths, folders, globs and URLs, sorted and without repetition.

    Raises TurretError if one of them has no files.
    """
    found: dict[str, Path | UPath] = {}
    for pattern in patterns:
        found.update(
            (str(path), path) for path in (_find_remote(pattern) if "://" in pattern else _find_local(pattern))
        )
    return [found[name] for name in sorted(found)]


def _find_local(pattern: str) -> list[Path]:
    path = Path(pattern).expanduser()
    if path.is_file():
        return [path]
    if path.is_dir():
        return _find_in_folder(path, pattern)
    matches = glob.glob(str(path), recursive=True)  # noqa: PTH207 - Path.glob rejects absolute patterns
    files = [file for file in map(Path, matches) if file.is_file()]
    if not files:
        problem = "matches no file" if glob.has_magic(pattern) else "does not exist"
        raise TurretError(f"The input {pattern} {problem}: check the path.")
    return files


def _find_remote(pattern: str) -> list[UPath]:
    """Files of an object store, for example s3://bucket/folder or gs://bucket/2026-*/events.jsonl.gz."""
    try:
        start = UPath(pattern)
        if glob.has_magic(pattern):
            address, _, rest = pattern.partition("://")
            bucket, _, below = rest.partition("/")
            files = [
                file for file in UPath(f"{address}://{bucket}/").glob(below) if file.name[0] != "." and file.is_file()
            ]
        else:
            files = [start] if start.is_file() else _find_in_folder(start, pattern) if start.is_dir() else []
    except ImportError as error:
        raise TurretError(
            f"The input {pattern} needs a library that is not installed ({error}): pip install 'turret-pipeline[s3]', "
            "or the fsspec library of that store."
        ) from None
    except ValueError as error:
        raise TurretError(f"The input {pattern} has an address that cannot be read: {error}.") from None
    except OSError as error:
        raise TurretError(f"The input {pattern} cannot be listed: {error}. Check the address and the access.") from None
    if not files:
        raise TurretError(f"The input {pattern} matches no object: check the address.")
    return files


def _find_in_folder(folder: AnyPath, pattern: str) -> list[AnyPath]:
    files = list(event_files(folder))
    if not files:
        raise TurretError(
            f"The input folder {pattern} has no event file: add {', '.join(SUFFIXES)} files, plain or compressed "
            f"({', '.join(COMPRESSED)})."
        )
    return files


def event_files(folder: AnyPath) -> Iterator[AnyPath]:
    """Event files under a folder, by their names. Hidden files are still being written and are left out."""
    return (path for path in folder.rglob("*") if _is_event_file(path) and path.is_file())


def _is_event_file(path: Path | UPath) -> bool:
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return not path.name.startswith(".") and name.endswith(SUFFIXES)

"""Search for input files in paths, folders, globs and object stores."""

import collections
import functools
import glob
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

from upath import UPath

from turret_pipeline.errors import TurretError
from turret_pipeline.ingest.protobuf import ENDINGS
from turret_pipeline.ingest.reading import COMPRESSED, SPREADSHEETS

SUFFIXES = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet", ".xes", *ENDINGS)
AnyPath = TypeVar("AnyPath", Path, UPath)


def discover(patterns: Sequence[str]) -> list[Path | UPath]:
    """Input files of paths, folders, globs and URLs, sorted; each once, also if links lead to it on several ways.

    Raises TurretError if one of them has no files.
    """
    found: dict[str, Path | UPath] = {}
    identify = functools.cache(_resolve_folder)
    for pattern in patterns:
        if "://" in pattern:
            found.update((str(path), path) for path in _find_remote(pattern))
            continue
        for path in _find_local(pattern):
            target = path.resolve() if path.is_symlink() else identify(path.parent) / path.name
            found.setdefault(str(target), path)
    return sorted(found.values(), key=str)


def describe_skipped(patterns: Sequence[str]) -> str:
    """A sentence about the files in the folders among these inputs that are not read because of their endings.

    Empty if there are none. Hidden files do not count.
    """
    endings = collections.Counter[str]()
    for pattern in patterns:
        if not glob.has_magic(pattern):
            is_remote = "://" in pattern
            endings.update(_list_skipped(UPath(pattern)) if is_remote else _list_skipped(Path(pattern).expanduser()))
    if not endings:
        return ""
    counts = ", ".join(f"{ending} ({count:,})" for ending, count in sorted(endings.items()))
    total = endings.total()
    return f"Skipped {total:,} file{'' if total == 1 else 's'} with endings that are not read: {counts}."


def _list_skipped(folder: AnyPath) -> list[str]:
    """The ending of each file under a folder that is not read."""
    return [_ending(path) for path in _walk(folder) if not _is_hidden(path) and not _is_event_file(path)]


def _resolve_folder(folder: Path) -> Path:
    return folder.resolve()


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
        skipped = describe_skipped([pattern])
        raise TurretError(
            f"The input folder {pattern} has no event file: add {', '.join(SUFFIXES)} files, plain or compressed "
            f"({', '.join(COMPRESSED)}).{' ' if skipped else ''}{skipped}"
        )
    return files


def event_files(folder: AnyPath) -> Iterator[AnyPath]:
    """Event files under a folder, by their names. Hidden files are still being written and are left out.

    Spreadsheets are among them: they cannot be read, and are rejected with the remedy.
    """
    return (path for path in _walk(folder) if _is_event_file(path))


def _walk(folder: AnyPath) -> Iterator[AnyPath]:
    """All files under a folder. Links to folders are followed, after all other folders, and each folder once.

    Raises TurretError if a folder cannot be listed.
    """
    if not folder.is_dir():
        return
    if not isinstance(folder, Path):
        yield from (path for path in folder.rglob("*") if path.is_file())
        return
    folders, links, seen = [folder], collections.deque[Path](), set[Path]()
    while folders or links:
        current = folders.pop() if folders else links.popleft()
        target = current.resolve()
        if target in seen:
            continue
        seen.add(target)
        for path in _list_folder(current):
            if path.is_dir():
                (links if path.is_symlink() else folders).append(path)
            elif path.is_file():
                yield path


def _list_folder(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise TurretError(f"The folder {folder} cannot be listed: {error.strerror}. Check its permissions.") from None


def _is_event_file(path: Path | UPath) -> bool:
    name = path.name.lower()
    for suffix in COMPRESSED:
        name = name.removesuffix(suffix)
    return not _is_hidden(path) and name.endswith((*SUFFIXES, *SPREADSHEETS))


def _is_hidden(path: Path | UPath) -> bool:
    """True for hidden files, and for the files with which Excel locks a spreadsheet."""
    return path.name.startswith((".", "~$"))


def _ending(path: Path | UPath) -> str:
    """The ending of a file, with that of its compression: .log.gz; without one: (none)."""
    name = path.name.lower()
    compression = next((suffix for suffix in COMPRESSED if name.endswith(suffix)), "")
    return Path(name.removesuffix(compression)).suffix + compression or "(none)"

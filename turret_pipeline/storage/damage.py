"""Damage of stored files, and its repair: caches are made again, and copies take the place of originals.

A run repairs what can be repaired, with a warning, and stops at the rest. ``turret doctor`` does the same on demand.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import duckdb

from turret_pipeline.errors import FaultError, TurretError, display_path
from turret_pipeline.storage.atomic_files import remove
from turret_pipeline.storage.checksums import has_hash_in_name, is_as_named
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.storage.lake import is_readable
from turret_pipeline.storage.topic_state import APPLIED_EDITS
from turret_pipeline.storage.warehouse import open_read_only

FILE_ENDINGS = (
    ".parquet",
    ".json",
    ".jsonl",
    ".duckdb",
    ".db",
    ".sqlite",
    ".yaml",
    ".html",
    ".png",
    ".svg",
    ".msgpack",
)
_FOREIGN = ("landing", "projects", "dbt")
"""Folders in which a person or another tool names files and folders."""


@dataclass(frozen=True)
class Finding:
    """A damaged file: what is wrong, and what ``repair`` does, or without one what a person must do."""

    path: Path
    problem: str
    remedy: str
    repair: Callable[[], object] | None = None

    def sentence(self) -> str:
        """The finding in one line."""
        return f"{display_path(self.path)} {self.problem}: {self.remedy}."


def repair_all(findings: Iterable[Finding], warn: Callable[[str], None]) -> int:
    """Repair what can be repaired, with a warning for each file, and return the number of repairs.

    Raises FaultError that names the first file that only a person can restore.
    """
    count, lost = 0, list[Finding]()
    for finding in findings:
        if finding.repair is None:
            lost.append(finding)
            continue
        finding.repair()
        warn(finding.sentence())
        count += 1
    if lost:
        more = f" ({len(lost) - 1} more: turret doctor lists them.)" if len(lost) > 1 else ""
        raise FaultError(lost[0].sentence() + more)
    return count


def find_damage(data: DataDir, *, is_thorough: bool = False) -> Iterator[Finding]:
    """Damage of the lake, vectors, topic states and the published file, those of a run's input first.

    ``is_thorough`` reads the published file and all tables to their end.
    """
    yield from find_folders_in_place_of_files(data.root)
    yield from _check_published(data, is_thorough=is_thorough)
    yield from _check_states(data)
    yield from _check_vectors(data)
    yield from _check_tables(data, is_thorough=is_thorough)


def find_damaged_lists(data: DataDir) -> Iterator[Finding]:
    """Damage of the files that a person fills: edits, field types, marks and views."""
    files = (data.topic_edits, data.field_overrides, data.signal_marks, data.dashboard_views)
    for file in files:
        try:
            file.read()
        except TurretError as error:
            message = " ".join(str(error).split()).rstrip(".")
            yield Finding(file.path, f"cannot be read ({message})", "correct the line, or restore it from a backup")


def find_folders_in_place_of_files(root: Path) -> Iterator[Finding]:
    """Folders with the name of a file. Empty ones are removed; others may hold something."""
    foreign = {root / name for name in _FOREIGN}
    for path in sorted(root.rglob("*")):
        if path.suffix not in FILE_ENDINGS or foreign & {*path.parents} or not path.is_dir():
            continue
        if any(path.iterdir()):
            yield Finding(path, "is a folder in place of a file", "move it elsewhere")
        else:
            yield Finding(path, "is an empty folder in place of a file", "it is removed", path.rmdir)


def _check_published(data: DataDir, *, is_thorough: bool) -> Iterator[Finding]:
    warehouse = data.warehouse
    if warehouse.published.is_dir():
        return  # found as a folder
    if not warehouse.published.exists():
        if copies := warehouse.list_generations():
            yield _restore_finding(data, copies[-1], "is missing")
        return
    if problem := _try_published(warehouse.published, is_thorough=is_thorough):
        for copy in reversed(warehouse.list_generations()):
            if not copy.samefile(warehouse.published) and not _try_published(copy, is_thorough=True):
                yield _restore_finding(data, copy, problem)
                return
        yield Finding(
            warehouse.published,
            problem,
            f"restore it from a backup, or remove the folder {display_path(warehouse.folder)} and run turret run; the "
            "history of runs is then lost, and topics are found from scratch",
        )


def _restore_finding(data: DataDir, copy: Path, problem: str) -> Finding:
    return Finding(
        data.warehouse.published,
        problem,
        f"it is restored from its copy generations/{copy.name}",
        lambda: data.warehouse.restore(copy),
    )


def _try_published(path: Path, *, is_thorough: bool) -> str | None:
    """The damage of a published file; None if it can be read."""
    try:
        with open_read_only(path) as connection:
            tables = connection.execute(
                "select table_name from information_schema.tables where table_schema = 'marts'"
            ).fetchall()
            wanted = [name for (name,) in tables] if is_thorough else ["pipeline_runs"]
            if ("pipeline_runs",) not in tables:
                return "has no table pipeline_runs"
            for name in wanted:
                columns = connection.execute(
                    "select column_name from information_schema.columns where table_schema = 'marts' "
                    "and table_name = ?",
                    [name],
                ).fetchall()
                hashes = ", ".join(f'hash("{column}")' for (column,) in columns)
                connection.execute(f"select bit_xor(hash({hashes})) from marts.{name}").fetchall()
    except TurretError as error:
        return f"cannot be opened ({str(error).split(': ', 1)[-1].split('. ')[0]})"
    except (duckdb.Error, OSError) as error:
        return f"is damaged ({str(error).splitlines()[0].rstrip('.')})"
    return None


def _check_states(data: DataDir) -> Iterator[Finding]:
    try:
        last = data.warehouse.last_run()
    except (TurretError, duckdb.Error, OSError):
        return  # the published file is found as damaged
    if last is None:
        return
    states, state_id = data.topic_states, str(last["topic_state_id"])
    changed = states.find_changed(state_id)
    if not changed:
        return
    path = states.root / state_id
    problem = f"is incomplete or damaged ({', '.join(changed)})"
    if states.restore(state_id, is_trial=True):
        yield Finding(path, problem, "it is made again from the tables of the lake", lambda: states.restore(state_id))
        return
    if changed == [APPLIED_EDITS]:
        remedy = "it is removed, and the edits in the published file count"
        yield Finding(path / APPLIED_EDITS, "is damaged", remedy, lambda: states.forget_applied_edits(state_id))
        return
    yield Finding(
        path,
        problem,
        "restore this folder, which holds the topics of the published file, from a backup, or remove the folder "
        f"{display_path(data.warehouse.folder)} to find all topics from scratch",
    )


def _check_vectors(data: DataDir) -> Iterator[Finding]:
    folder = data.lake.root / "embeddings"
    for path in sorted([*folder.rglob("*.parquet"), *folder.rglob("*.npz")]):
        if path.is_file() and not (is_as_named(path) if has_hash_in_name(path) else is_readable(path)):
            is_student = path.suffix == ".npz"
            remedy = f"it is removed, and {'a student is trained' if is_student else 'its texts are embedded'} again"
            yield Finding(path, "is damaged", remedy, lambda path=path: remove(path))  # type: ignore[misc]


def _check_tables(data: DataDir, *, is_thorough: bool) -> Iterator[Finding]:
    changed = data.lake.find_changed()
    for path in sorted(data.lake.root.glob("*.parquet")):
        if path.is_file() and (path.stem in changed or (is_thorough and not is_readable(path))):
            remedy = "it is removed, and the next run makes all tables again"
            yield Finding(path, "is damaged", remedy, lambda path=path: remove(path))  # type: ignore[misc]

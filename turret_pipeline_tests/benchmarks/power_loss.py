"""The state of a folder after a loss of power, from a log of its operations: what was not synced is lost."""

import shutil
from collections.abc import Sequence
from pathlib import Path

Operation = tuple[str, str, str, int]
"""Kind (W write, S sync, R rename, U unlink), path, new path, and size of the file before the operation."""


def lose_power(log: Sequence[Operation], stash: Path, *, loses_names: bool) -> None:
    """Take back what was not synced: data of files, and with ``loses_names`` renames and unlinks of their folders.

    ``stash`` has what each rename and unlink removed, by the number of the operation, counted from 1.
    """
    if loses_names:
        for number in reversed(list_unsynced_names(log)):
            _undo(log[number - 1], stash / str(number))
    for path, size in find_unsynced_sizes(log, loses_names=loses_names).items():
        if Path(path).is_file():
            cut = Path(f"{path}.cut")  # another file, because this process may have mapped the present one into memory
            cut.write_bytes(Path(path).read_bytes()[:size])
            cut.replace(path)


def find_unsynced_sizes(log: Sequence[Operation], *, loses_names: bool) -> dict[str, int]:
    """Sizes when they were synced last, of files that were written since, by the path that they have then."""
    synced, written = dict[str, int](), set[str]()
    undone = set(list_unsynced_names(log)) if loses_names else set()
    for number, (kind, path, to, size) in enumerate(log, 1):
        if kind == "W":
            written.add(path)
            synced.setdefault(path, max(size, 0))
        elif kind == "S":
            written.discard(path)
            synced[path] = max(size, 0)
        elif kind == "R" and number not in undone:
            for known in [one for one in {*synced, *written} if one == path or one.startswith(f"{path}/")]:
                new = to + known[len(path) :]
                synced[new] = synced.pop(known, 0)
                written.discard(new)
                if known in written:
                    written.remove(known)
                    written.add(new)
        elif kind == "U":
            written.discard(path)
            synced.pop(path, None)
    return {path: synced.get(path, 0) for path in written}


def list_unsynced_names(log: Sequence[Operation]) -> list[int]:
    """Numbers of the renames and unlinks whose folder was not synced since."""
    waiting: dict[int, set[str]] = {}
    for number, (kind, path, to, _) in enumerate(log, 1):
        if kind in {"R", "U"}:
            waiting[number] = {str(Path(one).parent) for one in (path, to) if one}
        elif kind == "S":
            waiting = {one: folders for one, folders in waiting.items() if path not in folders}
    return list(waiting)


def _undo(operation: Operation, kept: Path) -> None:
    """Take a rename or unlink back."""
    kind, path, to, _ = operation
    if not Path(path).parent.is_dir():
        return
    if kind == "R" and Path(to).exists() and not Path(path).exists():
        Path(to).rename(path)
        if kept.exists():
            shutil.copy2(kept, to)
    elif kind == "U" and kept.exists() and not Path(path).exists():
        shutil.copy2(kept, path)

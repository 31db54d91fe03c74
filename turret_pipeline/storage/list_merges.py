"""Lists that two machines changed at the same time: both sets of lines, as one content.

Belongs here: lists whose file is in storage. Not here: the files of ingest, whose merges are passed in.
"""

import io
import json
from collections.abc import Callable, Iterable
from typing import Any

import polars as pl

from turret_pipeline.storage.topic_edits import FORGOTTEN_LABEL, UNDONE

Merge = Callable[[bytes, bytes], bytes]
"""A function of the content on the store and of the content here."""

_Row = dict[str, Any]


def merge_lines(remote: bytes, local: bytes) -> bytes:
    """All distinct lines, those of the store first."""
    lines = [line for content in (remote, local) for line in content.split(b"\n") if line.strip()]
    return b"".join(line + b"\n" for line in dict.fromkeys(lines))


def merge_tombstones(remote: bytes, local: bytes) -> bytes:
    """All distinct tombstones."""
    frames = [pl.read_parquet(io.BytesIO(content)) for content in (remote, local) if content]
    merged = io.BytesIO()
    pl.concat(frames).unique(maintain_order=True).write_parquet(merged)
    return merged.getvalue()


def merge_edits(remote: bytes, local: bytes) -> bytes:
    """The topic edits of both, those of the store first. An edit that only this machine has gets the next free id.

    An edit that either machine undid, or whose label an erasure replaced, is undone.
    """
    found = {str(row["edit_id"]): row for row in _read(remote)}
    for row in _read(local):
        edit_id = str(row["edit_id"])
        same = found.get(edit_id)
        if same is None:
            found[edit_id] = row
        elif _is_same_edit(same, row):
            found[edit_id] = row if row.get(UNDONE) else same
        else:
            numbers = [int(known.removeprefix("edit-")) for known in found]
            added = f"edit-{max(numbers) + 1}"
            found[added] = {**row, "edit_id": added}
    return _write(found.values())


def merge_latest(*key: str, time: str) -> Merge:
    """A merge that keeps, of the rows with one key, the latest by its column ``time``, or that of the store."""

    def merge(remote: bytes, local: bytes) -> bytes:
        found: dict[tuple[str, ...], _Row] = {}
        for row in (*_read(remote), *_read(local)):
            of_row = tuple(str(row.get(name)) for name in key)
            known = found.get(of_row)
            if known is None or str(row.get(time, "")) > str(known.get(time, "")):
                found[of_row] = row
        return _write(found.values())

    return merge


MERGES: dict[str, Merge] = {
    "topic_edits.jsonl": merge_edits,
    "field_types.jsonl": merge_latest("field", time="set_at"),
    "signal_marks.jsonl": merge_latest("exchange_id", "signal", time="marked_at"),
    "dashboard_views.jsonl": merge_latest("name", time="saved_at"),
    "forgotten/tombstones.parquet": merge_tombstones,
    "forgotten/erasures.jsonl": merge_lines,
    "lake/parts/seen.jsonl": merge_lines,
}
"""The merge of each list, by its path in the data folder."""


def _is_same_edit(one: _Row, other: _Row) -> bool:
    """True if two edits with one id are the same edit, though one was undone or lost its label by an erasure."""
    unrelated = {UNDONE, *(["label"] if FORGOTTEN_LABEL in {one.get("label"), other.get("label")} else [])}
    return {k: v for k, v in one.items() if k not in unrelated} == {
        k: v for k, v in other.items() if k not in unrelated
    }


def _read(content: bytes) -> list[_Row]:
    """The rows of a list. A line that a person must fix stays out of the merge and raises ValueError."""
    return [json.loads(line) for line in content.split(b"\n") if line.strip()]


def _write(rows: Iterable[_Row]) -> bytes:
    return "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows).encode()

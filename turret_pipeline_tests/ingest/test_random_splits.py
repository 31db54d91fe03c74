"""Events, metadata values and field types do not depend on how the files were split among runs."""

import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from polars.testing import assert_frame_equal

from turret_pipeline.fields.describe import describe_fields
from turret_pipeline.storage.lake import Lake
from turret_pipeline_tests.ingest.imports import build_lake, row, write_files

TABLES = ("events", "identities", "rejected_events", "scrubbed_values", "event_values")
FILES = 8


def draw_rows(rng: random.Random) -> list[dict[str, Any] | str]:
    """Rows with and without ids, sessions and users, some of them twice, in conflict, of a trace, or invalid."""
    rows: list[dict[str, Any] | str] = []
    for number in range(150):
        given: dict[str, Any] = {"metadata": {"plan": rng.choice("abc"), "note": f"mail me at u{number}@example.org"}}
        if rng.random() < 0.5:
            given["session_id"] = f"s{rng.randrange(12)}"
        if rng.random() < 0.2:
            given["metadata"] |= {"trace_id": f"t{rng.randrange(6)}", "seconds": number / 2}
        given["user_id"] = rng.choice([None, "u1", "u2", "u3"])
        event_id = None if rng.random() < 0.3 else f"e{rng.randrange(120)}"
        rows.append(row(event_id, rng.randrange(-500, 500), **given))
    return [*rows, *rng.sample(rows, 20), "no json", '{"neither": "time nor name"}']


def find_types(lake: Lake, known: dict[str, str]) -> dict[str, str]:
    """Type of each field, as a run finds it that knows those of the run before."""
    fields = describe_fields(lake.scan("event_values"), lake.read("events"), {}, known)
    return dict(fields.select("field", "detected_type").iter_rows())


def split(items: Sequence[Path], rng: random.Random) -> list[list[Path]]:
    """The items in order, in two to four groups."""
    cuts = sorted(rng.sample(range(1, len(items)), rng.randrange(1, 4)))
    return [list(items[start:end]) for start, end in zip([0, *cuts], [*cuts, len(items)], strict=True)]


@pytest.mark.parametrize("seed", range(6))
def test_tables_are_those_of_one_run_however_the_files_were_split_among_runs(tmp_path: Path, seed: int) -> None:
    rng = random.Random(seed)
    files: dict[str, list[object]] = {f"day-{number}.jsonl": [] for number in range(FILES)}
    for one in draw_rows(rng):
        files[f"day-{rng.randrange(FILES)}.jsonl"].append(one)
    paths = write_files(tmp_path / "landing", files)
    read: list[Path] = []
    types: dict[str, str] = {}
    for group in split(paths, rng):
        read += group
        lake = build_lake(tmp_path / "runs", read)
        types = find_types(lake, types)

    whole = build_lake(tmp_path / "one", paths)

    for table in TABLES:
        assert_frame_equal(lake.read(table), whole.read(table), check_exact=True)
    assert lake.read("events").height > 100
    assert types == find_types(whole, {})

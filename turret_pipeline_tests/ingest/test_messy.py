"""Public data that are messy on purpose: cases are accepted or rejected as expected, and no text is changed."""

import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from turret_pipeline_tests.commands import PROJECT
from turret_pipeline_tests.ingest.imports import FILE_TIME, build_lake, row_counts

MESSY = PROJECT.parent / "shared" / "data" / "messy"
pytestmark = pytest.mark.skipif(not MESSY.is_dir(), reason="the messy data are not beside the checkout")


def json_cases() -> Iterator[dict[str, Any]]:
    with gzip.open(MESSY / "json_test_suite.jsonl.gz", "rt") as lines:
        yield from map(json.loads, lines)


WRITTEN_BY_PYTHON = {"n_number_NaN.json", "n_number_infinity.json", "n_number_minus_infinity.json"}
"""Not JSON, but what Python's json writes for such numbers: they are repaired to null instead of costing their row."""


def test_json_test_cases_are_accepted_or_rejected_as_expected(tmp_path: Path) -> None:
    lines, paths = [], [tmp_path / "lines.jsonl"]
    for number, case in enumerate(json_cases()):
        begin = f'{{"event_id":"{case["name"]}","name":"a","timestamp":"2024-05-01T12:00:00Z","metadata":{{"x":'
        text = begin.encode() + base64.b64decode(case["b64"]) + b"}}"
        if b"\n" in text:
            paths.append(tmp_path / f"{number}.json")
            paths[-1].write_bytes(b"[" + text + b"]")
        else:
            lines.append(text)
    paths[0].write_bytes(b"\n".join(lines))
    lake = build_lake(tmp_path, paths)
    accepted = set(lake.read("events")["event_id"])
    wrong = [case for case in json_cases() if case["expect"] == ("reject" if case["name"] in accepted else "accept")]
    assert {case["name"] for case in wrong} == WRITTEN_BY_PYTHON
    assert len(list(json_cases())) > 300
    assert lake.read("source_files").select(pl.sum("accepted_count") + pl.sum("rejected_count")).item() >= len(lines)


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv"])
def test_naughty_strings_survive(tmp_path: Path, ending: str) -> None:
    strings = [text for text in json.loads((MESSY / "blns.json").read_text()) if text]
    rows = [
        {"event_id": f"e{n}", "name": "a", "timestamp": "2024-05-01T12:00:00Z", "metadata": {"text": text, "n": n}}
        for n, text in enumerate(strings)
    ]
    path = tmp_path / f"a.{ending}"
    if ending == "csv":
        table = pl.DataFrame(rows).with_columns(pl.Series("metadata", [json.dumps(row["metadata"]) for row in rows]))
        table.write_csv(path)
    else:
        path.write_text(json.dumps(rows) if ending == "json" else "".join(json.dumps(row) + "\n" for row in rows))
    lake = build_lake(tmp_path, [path])
    assert row_counts(lake) == [(path.name, len(rows), len(rows), 0, 0)]
    values = lake.read("event_values").filter(pl.col("field") == "text")
    assert dict(values.select("event_id", "value").iter_rows()) == {f"e{n}": text for n, text in enumerate(strings)}


@pytest.mark.slow
def test_all_webhooks_are_read_and_missing_values_are_counted(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [MESSY / "github_webhooks.events.jsonl.gz"])
    files, events = lake.read("source_files"), lake.read("events")
    with gzip.open(MESSY / "github_webhooks.events.jsonl.gz", "rt") as lines:
        rows = [json.loads(line) for line in lines]
    timeless = sum(row["timestamp"] is None for row in rows)
    assert timeless > 0
    assert row_counts(lake) == [("github_webhooks.events.jsonl.gz", len(rows), len(rows), 0, 0)]
    assert files["assumed_time_count"].to_list() == [timeless]
    assert events.filter("is_time_assumed")["event_at"].unique().to_list() == [FILE_TIME]
    assert events["is_session_derived"].sum() == sum(row["session_id"] is None for row in rows)


def test_a_sample_of_mixpanel_keeps_its_times_without_zones(tmp_path: Path) -> None:
    lake = build_lake(tmp_path, [MESSY / "mixpanel_sample.events.jsonl.gz"])
    (file,) = lake.read("source_files").to_dicts()
    assert file["row_count"] == file["accepted_count"] + file["duplicate_count"] > 0
    assert file["assumed_zone_count"] == file["accepted_count"]

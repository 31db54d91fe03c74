"""A small form of the benchmark of shards that needs no cluster."""

import re
from pathlib import Path

import pytest

from turret_pipeline_tests.benchmarks.shards import measure_merge


def test_the_merge_is_measured_for_each_number_of_shards(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    measure_merge(tmp_path, 5_000, [1, 7])
    rows = re.findall(r"^\| (\d+) \| ([\d.]+) \| ([\d.]+) \| ([\d.]+) \|$", capsys.readouterr().out, re.MULTILINE)
    assert [row[0] for row in rows] == ["1", "7"]
    for _, total, merge, _ in rows:
        assert float(total) >= float(merge)

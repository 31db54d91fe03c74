"""The benchmark of the dashboard on a small file: its pages exist, and none fails while a run publishes."""

from pathlib import Path

import pytest

from turret_pipeline_tests.benchmarks.dashboard import FILTERS, PAGES, measure
from turret_pipeline_tests.benchmarks.published_lake import Size, write_published


def test_no_page_fails_while_a_run_publishes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_published(tmp_path, Size(sessions=500, users=100))

    has_succeeded, _ = measure(tmp_path, PAGES, people=2, filters=("", FILTERS[-1]))

    assert has_succeeded, capsys.readouterr()

"""One run over the sample, shared by the tests that only read what it published."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from turret_pipeline_tests.commands import SAMPLE, run_job


@dataclass(frozen=True)
class Job:
    """A finished run: its data folder and what it printed."""

    data_dir: Path
    printed: str


@pytest.fixture(scope="session")
def sample_job(tmp_path_factory: pytest.TempPathFactory) -> Job:
    """`turret run` on the sample."""
    data_dir = tmp_path_factory.mktemp("sample")
    return Job(data_dir, run_job(data_dir, SAMPLE))

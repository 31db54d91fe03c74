"""The quick forms of the benchmarks of signals run, and find what they should."""

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    ("module", "printed"),
    [("signal_speed", "with every form read differ: none"), ("topic_signals", "20,000 exchanges")],
)
def test_a_quick_benchmark_finds_nothing_wrong(module: str, printed: str) -> None:
    command = [sys.executable, "-m", f"turret_pipeline_tests.benchmarks.{module}", "--quick"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert printed in done.stdout

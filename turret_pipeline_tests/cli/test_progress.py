"""Progress where the output is not a terminal."""

import time
from collections.abc import Iterator

import pytest

from turret_pipeline.cli.progress import ProgressLines, new_progress


def test_outside_a_terminal_progress_is_lines(capsys: pytest.CaptureFixture[str]) -> None:
    progress = new_progress()
    assert isinstance(progress, ProgressLines)
    assert progress.track("Embedding texts", 3_000, iter([1_000, 2_000])) == 3_000
    with progress.during("Finding topics"):
        pass
    assert capsys.readouterr().err.splitlines() == [
        "Embedding texts ...",
        "Embedding texts: 3,000 of 3,000 done (0 s)",
        "Finding topics ...",
        "Finding topics: done (0 s)",
    ]


def test_long_work_reports_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    def steps() -> Iterator[int]:
        yield 7
        deadline = time.monotonic() + 30
        while not printed and time.monotonic() < deadline:
            printed.extend(line for line in capsys.readouterr().err.splitlines() if line.startswith("Reading: 7 ("))
            time.sleep(0.01)

    assert ProgressLines(seconds_between_lines=0.01).track("Reading", None, steps()) == 7
    assert printed


def test_long_work_of_known_length_reports_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    def steps() -> Iterator[int]:
        time.sleep(0.05)
        yield 1
        deadline = time.monotonic() + 30
        while not printed and time.monotonic() < deadline:
            lines = capsys.readouterr().err.splitlines()
            printed.extend(
                line for line in lines if line.startswith("Reading: 1 of 1,000, about ") and " s left (" in line
            )
            time.sleep(0.01)

    assert ProgressLines(seconds_between_lines=0.01).track("Reading", 1_000, steps()) == 1
    assert printed


def test_work_that_fails_is_not_reported_as_done(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"), ProgressLines().during("Finding topics"):
        raise ValueError("broken")
    assert capsys.readouterr().err == "Finding topics ...\n"

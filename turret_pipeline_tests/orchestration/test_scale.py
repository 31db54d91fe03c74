"""The short form of the benchmark `scale`: its events, and how it measures processes and stages."""

import json
import subprocess
import sys
import time
from collections import Counter, defaultdict
from pathlib import Path

import pytest

from turret_pipeline_tests.benchmarks.scale import Sample, Stage, Usage, measure_bare, print_growth
from turret_pipeline_tests.benchmarks.scale_events import list_prompts, write_events


def read_events(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("count", [1, 500, 60_000])
def test_there_are_as_many_distinct_prompts_as_asked_for(count: int) -> None:
    prompts = list_prompts(count)

    assert len(prompts) == len(set(prompts)) == count
    assert list_prompts(count) == prompts


def test_events_are_whole_sessions_in_order_and_about_as_many_as_asked_for(tmp_path: Path) -> None:
    written = write_events(tmp_path / "a.jsonl", 5_000, list_prompts(100))

    events = read_events(tmp_path / "a.jsonl")
    sessions = defaultdict(list)
    for event in events:
        sessions[event["session_id"]].append(event)
    assert written == len(events)
    assert abs(written - 5_000) < 500
    assert len({event["event_id"] for event in events}) == len(events)
    assert all(len({event["user_id"] for event in own}) == 1 for own in sessions.values())
    times = [[str(event["timestamp"]) for event in own] for own in sessions.values()]
    assert times == [sorted(of_session) for of_session in times]
    assert all(own[0]["name"] == "prompt_sent" for own in sessions.values())


def test_few_prompts_are_frequent_and_most_rare(tmp_path: Path) -> None:
    write_events(tmp_path / "a.jsonl", 20_000, list_prompts(3_000))

    texts = Counter(event["metadata"].get("prompt") for event in read_events(tmp_path / "a.jsonl"))  # type: ignore[attr-defined]
    del texts[None]
    counts = sorted(texts.values(), reverse=True)
    assert counts[0] > 10 * counts[len(counts) // 2]


def test_the_same_events_are_written_again_and_later_sessions_are_others(tmp_path: Path) -> None:
    prompts = list_prompts(50)
    for name, first in (("a", 0), ("b", 0), ("c", 1_000)):
        write_events(tmp_path / name, 500, prompts, first_session=first)

    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert not {event["event_id"] for event in read_events(tmp_path / "a")} & {
        event["event_id"] for event in read_events(tmp_path / "c")
    }


def test_the_usage_of_a_process_and_of_its_children_is_counted() -> None:
    work = "sum(i * i for i in range(10**7))"
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {work!r}])"
    with subprocess.Popen([sys.executable, "-c", code]) as process:
        usage, started = Usage(process.pid), time.time()
        while process.poll() is None:
            usage.take()
            time.sleep(0.05)

    whole = usage.between(started, time.time())
    assert whole.processor_seconds > 0.2
    assert whole.megabytes > 5


def test_a_stage_has_what_was_used_between_its_ends() -> None:
    usage = Usage(0, [Sample(0, 0, 100), Sample(10, 4, 300), Sample(20, 5, 200)])

    stage = usage.between(10, 15)

    assert (stage.seconds, stage.processor_seconds, stage.megabytes) == (5, 0.5, 300)


def test_the_exponent_is_the_slope_between_the_sizes(capsys: pytest.CaptureFixture[str]) -> None:
    runs = [
        {"first": {"ingest": Stage(1, seconds, 1)}, "nothing new": {"all": Stage(1, 3.0, 1)}} for seconds in (2.0, 20.0)
    ]

    print_growth([1_000, 10_000], runs)

    printed = capsys.readouterr().out
    assert "| ingest | 2.0 | 20.0 | 1.00 |" in printed
    assert "| nothing new | 3.0 | 3.0 | 0.00 |" in printed


def test_the_bare_work_of_duckdb_is_measured(tmp_path: Path) -> None:
    write_events(tmp_path / "a.jsonl", 1_000, list_prompts(10))

    assert measure_bare(tmp_path / "a.jsonl", tmp_path).seconds > 0
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]

"""Seconds and peak memory of `turret run` on many events, over all of its processes.

    python -m turret_pipeline_tests.benchmarks.million_events [--events 1000000] [--data ../shared/data]

The events are simulated sessions: most prompts are frequent ones, and their texts come from the public sets. Memory
is the proportional set size, which counts shared pages once (Linux only).
"""

import argparse
import datetime as dt
import itertools
import json
import random
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from turret_pipeline_tests.benchmarks.gold_sets import DATA, read_lines
from turret_pipeline_tests.commands import BIN, PROJECT, environment

SETS = ("clinc150", "banking77", "stackoverflow", "snips")
USERS, DAYS, MAX_TURNS = 20_000, 60, 30
START = dt.datetime(2026, 6, 1, tzinfo=dt.UTC)
SAMPLE_SECONDS = 0.5
MAX_GIGABYTES = 2.5


def simulate_events(texts: Sequence[str], seed: int = 5) -> Iterator[dict[str, Any]]:
    """Events of one session after the other, without end."""
    generator = random.Random(seed)
    weights = list(itertools.accumulate((rank + 20) ** -0.7 for rank in range(len(texts))))
    numbers = itertools.count()
    for session in itertools.count():
        user = int(generator.paretovariate(1.1)) % USERS
        at = START + dt.timedelta(days=generator.random() * DAYS)
        for _ in range(min(1 + int(generator.expovariate(1 / 3)), MAX_TURNS)):
            [prompt] = generator.choices(texts, cum_weights=weights)
            answer = {"latency": round(generator.expovariate(1), 3), "tokens": generator.randrange(20, 900)}
            turn: list[tuple[str, dict[str, Any]]] = [("prompt_sent", {"prompt": prompt}), ("answer_shown", answer)]
            for name, metadata in [*turn, *([("answer_copied", {})] if generator.random() < 0.3 else [])]:
                yield {
                    "event_id": f"e{next(numbers)}",
                    "name": name,
                    "session_id": f"s{session}",
                    "user_id": f"u{user}",
                    "timestamp": at.isoformat(),
                    "metadata": {"plan": ("free", "team", "business")[user % 3], **metadata},
                }
                at += dt.timedelta(seconds=generator.expovariate(1 / 40))


def read_texts(data: Path) -> list[str]:
    """Distinct prompts of the public sets, in random order."""
    files = (data / "events" / f"{name}.jsonl.gz" for name in SETS)
    texts = list(dict.fromkeys(event["metadata"]["prompt"] for path in files for event in read_lines(path)))
    random.Random(0).shuffle(texts)
    return texts


def measure_run(source: Path, data_dir: Path) -> tuple[float, float, int]:
    """Seconds, peak memory of all processes in GB, and exit code of `turret run`."""
    command = [str(BIN / "turret"), "run", "--input", str(source), "--data-dir", str(data_dir)]
    started, peak = time.perf_counter(), 0
    with subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL) as process:
        while process.poll() is None:
            peak = max(peak, sum(map(_read_memory, _list_processes(process.pid))))
            time.sleep(SAMPLE_SECONDS)
    return time.perf_counter() - started, peak / 1e6, process.returncode


def _list_processes(parent: int) -> Iterator[int]:
    """Ids of a process and of all below it."""
    yield parent
    try:
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    except OSError:  # it has ended
        return
    for child in children:
        yield from _list_processes(int(child))


def _read_memory(process: int) -> int:
    """Proportional set size in kB; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the figures and the limit of memory."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--data", type=Path, default=DATA)
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as name:
        source = Path(name) / "events.jsonl"
        with source.open("w", encoding="utf8") as file:
            for event in itertools.islice(simulate_events(read_texts(options.data)), options.events):
                file.write(json.dumps(event) + "\n")
        seconds, gigabytes, exit_code = measure_run(source, Path(name) / "data")
    memory = f"{gigabytes:.2f} GB (limit {MAX_GIGABYTES} GB)"
    print(f"{options.events:,} events: {seconds:.0f} s, {memory}, exit {exit_code}")


if __name__ == "__main__":
    main()

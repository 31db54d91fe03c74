"""Seconds, rows per second and memory of each stage of whole runs, at several sizes, and of runs with a little more.

    python -m turret_pipeline_tests.benchmarks.scale [--events 100000 1000000 10000000] [--distinct 0.07]

Events are simulated (`scale_events`), `--distinct` is the share of distinct prompts among the prompts. For each size a
first run reads all, then one has nothing new, one has 30 events more, and one has 1 % more, in which the prompts that
were rare before are the frequent ones, and 1 % of the distinct prompts are new. Seconds of the processor
are those of all processes, so that other work on the machine disturbs them little; memory is the proportional set size
of all processes, which counts shared pages once (Linux only). The exponent of a stage is the slope of its processor
seconds between the last two sizes, on logarithmic scales: 1 is proportional to the events. As a limit of what is
possible, the bare reading, sorting and writing of the same events in DuckDB stands beside it. Exits with 1 if a run
fails.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import duckdb
import numpy as np

from turret_pipeline_tests.benchmarks.scale_events import EVENTS_PER_PROMPT, list_prompts, write_events
from turret_pipeline_tests.commands import BIN, PROJECT, environment

SAMPLE_SECONDS = 0.25
FEW = 30
"""Events of the run with a few more."""

BARE_RUN = "read, sorted and written by DuckDB alone"

BARE = """
copy (
    from read_ndjson('{source}') select *, epoch_us(timestamp::timestamp) as microseconds
    order by session_id, microseconds
) to '{target}' (format parquet, compression zstd)
"""


@dataclass(frozen=True)
class Sample:
    """What the processes of a run used until a moment: processor seconds since the start, and megabytes then."""

    at: float
    processor_seconds: float
    megabytes: float


@dataclass(frozen=True)
class Stage:
    """A step of a run: seconds of the clock and of the processor, and the most memory during it."""

    seconds: float
    processor_seconds: float
    megabytes: float


@dataclass
class Usage:
    """Samples of a process and all below it, taken in the background."""

    process: int
    samples: list[Sample] = field(default_factory=list)
    _used: dict[int, float] = field(default_factory=dict)

    def take(self) -> None:
        """Add a sample. A process that has ended keeps what it had used."""
        megabytes = 0.0
        for one in list_processes(self.process):
            self._used[one] = max(read_processor_seconds(one), self._used.get(one, 0.0))
            megabytes += read_kilobytes(one) / 1e3
        self.samples.append(Sample(time.time(), sum(self._used.values()), megabytes))

    def between(self, start: float, end: float) -> Stage:
        """What was used between two moments."""
        times = [one.at for one in self.samples]
        used = np.interp([start, end], times, [one.processor_seconds for one in self.samples])
        within = [one.megabytes for one in self.samples if start - SAMPLE_SECONDS <= one.at <= end + SAMPLE_SECONDS]
        return Stage(end - start, float(used[1] - used[0]), max(within, default=0.0))


def measure_run(source: Path, data_dir: Path, options: Sequence[str] = ()) -> tuple[Usage, int]:
    """Usage and exit code of `turret run`."""
    command = [str(BIN / "turret"), "run", "--input", str(source), "--data-dir", str(data_dir), *options]
    with subprocess.Popen(command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL) as process:
        usage, ended = Usage(process.pid), threading.Event()

        def watch() -> None:
            while not ended.wait(SAMPLE_SECONDS):
                usage.take()

        usage.take()
        thread = threading.Thread(target=watch)
        thread.start()
        try:
            process.wait()
        finally:
            ended.set()
            thread.join()
    return usage, process.returncode


def list_processes(parent: int) -> Iterator[int]:
    """Ids of a process and of all below it."""
    yield parent
    try:
        tasks = list(Path(f"/proc/{parent}/task").iterdir())
        children = [child for task in tasks for child in (task / "children").read_text(encoding="ascii").split()]
    except OSError:  # it has ended
        return
    for child in children:
        yield from list_processes(int(child))


def read_processor_seconds(process: int) -> float:
    """Seconds that a process used the processor; 0 if it has ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    except OSError:
        return 0.0
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def read_kilobytes(process: int) -> int:
    """Proportional set size; 0 for a process that has ended."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)


def read_stages(data_dir: Path, usage: Usage) -> dict[str, Stage]:
    """The stages of the last run by name, in order, and the time before the first and after the last of them."""
    from turret_pipeline.orchestration.dagster_home import open_history

    with open_history(data_dir / "dagster") as instance:
        [run] = instance.get_runs(limit=1)
        steps = [one for one in instance.get_run_step_stats(run.run_id) if one.start_time and one.end_time]
    steps.sort(key=lambda one: one.start_time or 0)
    first, last = usage.samples[0].at, usage.samples[-1].at
    spans = {one.step_key: (one.start_time or 0.0, one.end_time or 0.0) for one in steps}
    begins = min((start for start, _ in spans.values()), default=last)
    ends = max((end for _, end in spans.values()), default=last)
    return {
        "(start)": usage.between(first, begins),
        **{name: usage.between(*span) for name, span in spans.items()},
        "(end)": usage.between(ends, last),
        "all": usage.between(first, last),
    }


def measure_bare(source: Path, folder: Path) -> Stage:
    """DuckDB reads the events, sorts and writes them."""
    target, (started, used) = folder / "bare.parquet", (time.perf_counter(), time.process_time())
    with duckdb.connect() as connection:
        connection.execute("set preserve_insertion_order = false; set memory_limit = '4GB'")
        connection.execute(BARE.format(source=source, target=target))
    target.unlink()
    return Stage(time.perf_counter() - started, time.process_time() - used, 0.0)


def measure_size(
    folder: Path, events: int, distinct: float, options: Sequence[str]
) -> tuple[dict[str, dict[str, Stage]], int]:
    """Stages of the runs of one size by name of the run, and the number of failed runs."""
    count = max(round(distinct * events / EVENTS_PER_PROMPT), 1)
    prompts, inputs, data = list_prompts(count + max(count // 100, 1)), folder / "input", folder / "data"
    inputs.mkdir()
    written = write_events(inputs / "events.jsonl", events, prompts[:count])
    print(f"\n{written:,} events, {count:,} distinct prompts", flush=True)
    runs: dict[str, dict[str, Stage]] = {BARE_RUN: {"all": measure_bare(inputs / "events.jsonl", folder)}}
    print_run(BARE_RUN, written, runs[BARE_RUN])
    more = {"nothing new": 0, f"{FEW} events more": FEW, "1 % more": events // 100}
    failed, session = 0, written
    for name, added in {"first": 0, **more}.items():
        if added:
            write_events(inputs / f"added-{session}.jsonl", added, prompts[::-1], first_session=session)
            session += written
        usage, exit_code = measure_run(inputs, data, options)
        failed += exit_code != 0
        runs[name] = read_stages(data, usage)
        print_run(name, written if name == "first" else added, runs[name])
        if name == "first":
            print_stored(measure_stored(data), written, count)
    return runs, failed


def print_run(name: str, events: int, stages: Mapping[str, Stage]) -> None:
    """Print a table with a row per stage."""
    print(f"\n{name}\n\n| stage | s | processor s | events/s | MB at most |\n" + "|---" * 5 + "|")
    for stage, one in stages.items():
        rate = f"{events / one.seconds:,.0f}" if events and one.seconds > 0 else ""
        print(
            f"| {stage} | {one.seconds:.1f} | {one.processor_seconds:.1f} | {rate} | {one.megabytes:,.0f} |", flush=True
        )


def measure_stored(data: Path) -> dict[str, int]:
    """Bytes of what a run keeps, by kind."""
    lake = data / "lake"
    files = {
        "parts of the input": lake.glob("parts/**/*"),
        "tables of the lake": lake.glob("*.parquet"),
        "vectors of texts": lake.glob("embeddings/**/*"),
        "published file": (data / "warehouse").glob("turret.duckdb"),
    }
    return {kind: sum(path.stat().st_size for path in paths if path.is_file()) for kind, paths in files.items()}


def print_stored(stored: Mapping[str, int], events: int, texts: int) -> None:
    """Print bytes per event, and those of vectors per distinct text."""
    print("\n| stored | bytes | per |\n" + "|---" * 3 + "|")
    for kind, size in stored.items():
        unit, count = ("distinct text", texts) if kind == "vectors of texts" else ("event", events)
        print(f"| {kind} | {size / count:,.0f} | {unit} |", flush=True)


def print_growth(sizes: Sequence[int], runs: Sequence[Mapping[str, Mapping[str, Stage]]]) -> None:
    """Print the exponents between the last two sizes: of each stage of the first run, and of the other runs."""
    small, large = runs[-2], runs[-1]
    ratio = math.log(sizes[-1] / sizes[-2])
    print("\n| stage | processor s | | exponent |\n" + "|---" * 4 + "|")
    rows = {stage: (small["first"].get(stage), one) for stage, one in large["first"].items()}
    rows |= {run: (small[run]["all"], large[run]["all"]) for run in large if run != "first"}
    for stage, (before, one) in rows.items():
        now = one.processor_seconds
        if before and before.processor_seconds > 0 and now > 0:
            exponent = math.log(now / before.processor_seconds) / ratio
            print(f"| {stage} | {before.processor_seconds:.1f} | {now:.1f} | {exponent:.2f} |", flush=True)


def main() -> None:
    """Measure the sizes, and print a table for each run."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--events", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--distinct", type=float, default=0.07, help="share of distinct prompts among prompts")
    parser.add_argument("options", nargs="*", metavar="OPTION", help="options of `turret run`, after --")
    options = parser.parse_args()
    runs, failed = [], 0
    for events in options.events:
        with tempfile.TemporaryDirectory() as name:
            measured, count = measure_size(Path(name), events, options.distinct, options.options)
            runs.append(measured)
            failed += count
    if len(runs) > 1:
        print_growth(options.events, runs)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()

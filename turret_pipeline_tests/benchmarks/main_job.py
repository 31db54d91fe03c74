"""Seconds, memory and quality of `turret run`, with their limits.

    python -m turret_pipeline_tests.benchmarks.main_job [--data ../shared/data] [NAME ...]

Without NAME: the sample, and the public sets if the data folder exists.
"""

import argparse
import gzip
import json
import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb
from sklearn.metrics import adjusted_mutual_info_score

from turret_pipeline_tests.commands import BIN, PROJECT, SAMPLE, environment, warehouse

TOPIC_SETS = {"dstc11_banking": "AMI 0.67, coverage 0.95", "banking77": "AMI 0.80, coverage 0.95"}
LOGS = ("running_example", "receipt", "reviewing", "repair_example", "roadtraffic100")


@dataclass(frozen=True)
class Measurement:
    """One run of a command: wall time in seconds, peak memory of its largest process in GB, and exit code."""

    seconds: float
    gigabytes: float
    exit_code: int


def measure(data_dir: Path, source: Path) -> Measurement:
    """Measurement of `turret run` as a separate process."""
    command = [str(BIN / "turret"), "run", "--input", str(source), "--data-dir", str(data_dir)]
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Measurement(time.perf_counter() - started, _peak_gigabytes(usage), process.returncode)


def _peak_gigabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1e6


def print_row(name: str, measured: Measurement, quality: str, limit: str) -> None:
    """Print one row of the table."""
    resources = f"{measured.seconds:.0f} s | {measured.gigabytes:.1f} GB"
    print(f"| {name} | {resources} | {measured.exit_code} | {quality} | {limit} |")


def measure_sample(folder: Path, _: Path) -> None:
    """Print the rows of a run over the sample and of a second run with nothing new."""
    print_row("sample", measure(folder, SAMPLE), "", "120 s")
    print_row("sample again, nothing new", measure(folder, SAMPLE), "", "25 s")


def measure_topics(name: str) -> Callable[[Path, Path], None]:
    """Benchmark of a set: coverage, and adjusted mutual information with gold labels that the pipeline never sees."""

    def run(folder: Path, data: Path) -> None:
        measured = measure(folder, data / "events" / f"{name}.jsonl.gz")
        with gzip.open(data / "gold" / f"{name}.jsonl.gz", "rt") as lines:
            gold = [label for label in map(json.loads, lines) if label["topical"] and not label["out_of_scope"]]
        with duckdb.connect(str(warehouse(folder)), read_only=True) as connection:
            query = "select event_id, topic_id from marts.event_topics where field = 'prompt'"
            topic = dict(connection.execute(query).fetchall())
        assigned = [str(topic.get(label["event_id"])) for label in gold]
        ami = adjusted_mutual_info_score([label["label"] for label in gold], assigned)
        coverage = 1 - assigned.count("None") / len(assigned)
        print_row(name, measured, f"AMI {ami:.3f}, coverage {coverage:.3f}", TOPIC_SETS[name])

    return run


def measure_log(name: str) -> Callable[[Path, Path], None]:
    """Benchmark of a process log: number of directly-follows counts that differ from the correct ones."""

    def run(folder: Path, data: Path) -> None:
        measured = measure(folder, data / "events" / f"log_{name}.jsonl.gz")
        gold = json.loads((data / "gold" / "dfg.json").read_text())[name]
        expected = {("(start)", node): count for node, count in gold["start"].items()}
        expected |= {(node, "(end)"): count for node, count in gold["end"].items()}
        expected |= {(source, target): count for source, target, count in gold["edges"]}
        with duckdb.connect(str(warehouse(folder)), read_only=True) as connection:
            columns = "from_node_id, to_node_id, transition_count"
            query = f"select {columns} from marts.journey_edges where dimension = 'event_name'"
            edges = {(source, target): count for source, target, count in connection.execute(query).fetchall()}
        wrong = sum(edges.get(edge) != expected.get(edge) for edge in edges.keys() | expected.keys())
        print_row(f"log_{name}", measured, f"{wrong} of {len(expected)} edges wrong", "0 wrong")

    return run


def measure_star(folder: Path, data: Path) -> None:
    """Print the row of star_dev: 66,058 events with several names."""
    print_row("star_dev", measure(folder, data / "events" / "star_dev.jsonl.gz"), "", "600 s, 4 GB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table with one row per set, and two for the sample."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    options = parser.parse_args(arguments)
    runs: dict[str, Callable[[Path, Path], None]] = {"sample": measure_sample}
    if options.data.is_dir():
        runs |= {name: measure_topics(name) for name in TOPIC_SETS}
        runs |= {f"log_{name}": measure_log(name) for name in LOGS}
        runs["star_dev"] = measure_star
    print("| input | seconds | peak memory | exit | quality | limit |\n|---|---|---|---|---|---|")
    for name in options.names or runs:
        with tempfile.TemporaryDirectory() as folder:
            runs[name](Path(folder), options.data)


if __name__ == "__main__":
    main()

"""Seconds, memory and quality of the main job, printed beside the limits that it is held to.

    python -m turret_pipeline_tests.benchmarks.main_job [--data ../shared/data] [NAME ...]

Without NAME: the sample, and the public sets where the data folder is there.
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
class Measured:
    """A run of a command: wall seconds, peak memory of its largest process in GB, exit code."""

    seconds: float
    gigabytes: float
    exit_code: int


def measure(data_dir: Path, source: Path) -> Measured:
    """`turret run` from outside, as a whole process."""
    command = [str(BIN / "turret"), "run", "--input", str(source), "--data-dir", str(data_dir)]
    started = time.perf_counter()
    with subprocess.Popen(
        command, cwd=PROJECT, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    return Measured(time.perf_counter() - started, _peak(usage), process.returncode)


def _peak(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss / 1e6


def show(name: str, found: Measured, figures: str, limit: str) -> None:
    """One line of the table."""
    print(f"| {name} | {found.seconds:.0f} s | {found.gigabytes:.1f} GB | {found.exit_code} | {figures} | {limit} |")


def sample(folder: Path, _: Path) -> None:
    """The sample, and a second run with nothing new."""
    show("sample", measure(folder, SAMPLE), "", "120 s")
    show("sample again, nothing new", measure(folder, SAMPLE), "", "25 s")


def topics(name: str) -> Callable[[Path, Path], None]:
    """Adjusted mutual information with gold labels that the pipeline never sees."""

    def run(folder: Path, data: Path) -> None:
        found = measure(folder, data / "events" / f"{name}.jsonl.gz")
        with gzip.open(data / "gold" / f"{name}.jsonl.gz", "rt") as lines:
            gold = [label for label in map(json.loads, lines) if label["topical"] and not label["out_of_scope"]]
        with duckdb.connect(str(warehouse(folder)), read_only=True) as connection:
            query = "select event_id, topic_id from marts.event_topics where field = 'prompt'"
            topic = dict(connection.execute(query).fetchall())
        given = [str(topic.get(label["event_id"])) for label in gold]
        ami = adjusted_mutual_info_score([label["label"] for label in gold], given)
        coverage = 1 - given.count("None") / len(given)
        show(name, found, f"AMI {ami:.3f}, coverage {coverage:.3f}", TOPIC_SETS[name])

    return run


def log(name: str) -> Callable[[Path, Path], None]:
    """Directly-follows counts against the right ones."""

    def run(folder: Path, data: Path) -> None:
        found = measure(folder, data / "events" / f"log_{name}.jsonl.gz")
        gold = json.loads((data / "gold" / "dfg.json").read_text())[name]
        wanted = {("(start)", node): count for node, count in gold["start"].items()}
        wanted |= {(node, "(end)"): count for node, count in gold["end"].items()}
        wanted |= {(source, target): count for source, target, count in gold["edges"]}
        with duckdb.connect(str(warehouse(folder)), read_only=True) as connection:
            columns = "from_node_id, to_node_id, transition_count"
            query = f"select {columns} from marts.journey_edges where dimension = 'event_name'"
            edges = {(source, target): count for source, target, count in connection.execute(query).fetchall()}
        wrong = sum(edges.get(edge) != wanted.get(edge) for edge in edges.keys() | wanted.keys())
        show(f"log_{name}", found, f"{wrong} of {len(wanted)} edges wrong", "0 wrong")

    return run


def star(folder: Path, data: Path) -> None:
    """66,058 events of several names."""
    show("star_dev", measure(folder, data / "events" / "star_dev.jsonl.gz"), "", "600 s, 4 GB")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print one line for each set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--data", type=Path, default=PROJECT.parent / "shared" / "data")
    options = parser.parse_args(arguments)
    runs: dict[str, Callable[[Path, Path], None]] = {"sample": sample}
    if options.data.is_dir():
        runs |= {name: topics(name) for name in TOPIC_SETS} | {f"log_{name}": log(name) for name in LOGS}
        runs["star_dev"] = star
    print("| input | seconds | peak memory | exit | found | held to |\n|---|---|---|---|---|---|")
    for name in options.names or runs:
        with tempfile.TemporaryDirectory() as folder:
            runs[name](Path(folder), options.data)


if __name__ == "__main__":
    main()

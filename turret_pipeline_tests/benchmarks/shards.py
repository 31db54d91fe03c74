"""What shards cost and gain: their schedule, the speed with one and two workers, the merge, and equal tables.

    python -m turret_pipeline_tests.benchmarks.shards schedule [--shards 500]
    python -m turret_pipeline_tests.benchmarks.shards speed [--events 1000000] [--texts 8000]
    python -m turret_pipeline_tests.benchmarks.shards merge [--events 10000000] [--counts 20 100 1000]

``schedule`` runs shards without work on a real Ray cluster of this machine, beside as many bare tasks of Ray. ``speed``
reads simulated events, embeds prompts and builds exchanges on this machine and on Ray with one worker and with two.
``merge`` builds the exchanges of a simulated lake from more and more shards, beside a copy of the result by DuckDB.
"""

import argparse
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from turret_pipeline.events.parsing import ParseOptions
from turret_pipeline.exchanges.build import MEMORY_LIMIT, ExchangeOptions, write_exchanges
from turret_pipeline.ingest.parts import Ingestion, PartStore
from turret_pipeline.models.embedding_shards import ShardedEmbedding
from turret_pipeline.shards.local import LOCAL
from turret_pipeline.shards.pieces import Pieces
from turret_pipeline.shards.ray_engine import RayEngine
from turret_pipeline.shards.shard import Engine, Shard
from turret_pipeline.storage.lake import Lake
from turret_pipeline.storage.object_store import open_object_store
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline_tests.benchmarks import exchange_lake
from turret_pipeline_tests.benchmarks.scale_events import EVENTS_PER_PROMPT, list_prompts, write_events
from turret_pipeline_tests.exchanges.rows import NOON
from turret_pipeline_tests.shards.ray_cluster import running_cluster
from turret_pipeline_tests.shards.work import nothing

TEXTS_PER_LIST = 256
DISTINCT = 0.07
EVENTS_PER_SHARD = 100_000

BARE_TASKS = """
import sys, time
import ray
ray.init(address=sys.argv[1], log_to_driver=False)
nothing = ray.remote(num_cpus=1)(lambda: None)
ray.get([nothing.remote() for _ in range(8)])
started = time.perf_counter()
ray.get([nothing.remote() for _ in range(int(sys.argv[2]))])
print(time.perf_counter() - started)
"""


@contextmanager
def engines(folder: Path, workers: Sequence[int]) -> Iterator[Iterator[tuple[str, Engine, str]]]:
    """The name of each engine, the engine, and the address of its cluster: this machine, then Ray by workers."""

    def iterate() -> Iterator[tuple[str, Engine, str]]:
        yield "local", LOCAL, ""
        for count in workers:
            with tempfile.TemporaryDirectory(prefix="ray-") as own, running_cluster(Path(own)) as cluster:
                if count == 1:
                    cluster.kill("second")
                engine = RayEngine(Pieces(open_object_store(str(folder / f"store-{count}"))), cluster.address, print)
                try:
                    yield f"Ray, {count} worker{'s' * (count > 1)}", engine, cluster.address
                finally:
                    engine.close()

    yield iterate()


def start_workers(engine: Engine, folder: Path) -> None:
    """Let the workers start, which takes seconds."""
    run_shards(engine, [Shard(nothing, (-1 - number,)) for number in range(4)], folder)


def run_shards(engine: Engine, shards: Sequence[Shard[int]], folder: Path) -> None:
    """Run shards to their end."""
    sum(engine.run(shards, folder))


def read_file(parts: PartStore, source: Path) -> None:
    """Read a file to its end."""
    sum(parts.add(source, ParseOptions(NOON), Ingestion(NOON)))


def embed_all(embed: ShardedEmbedding, lists: Sequence[Sequence[str]]) -> None:
    """Embed all lists of texts."""
    for _ in embed(lists):
        pass


def time_call(call: Callable[[], object]) -> float:
    """Seconds of a call."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure_schedule(folder: Path, shards: int) -> None:
    """Print milliseconds per shard without work, and those of a bare task of Ray."""
    print("| engine | ms per shard | ms per bare task of Ray |\n|---|---|---|")
    with engines(folder, (1, 2)) as running:
        for name, engine, address in running:
            bare = ""
            if address:  # before the workers start, which keep the processors of the cluster
                command = [sys.executable, "-c", BARE_TASKS, address, str(shards)]
                done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
                bare = f"{float(done.stdout.split()[-1]) / shards * 1e3:.1f}"
            start_workers(engine, folder)
            seconds = time_call(partial(run_shards, engine, [Shard(nothing, (n,)) for n in range(shards)], folder))
            print(f"| {name} | {seconds / shards * 1e3:.1f} | {bare} |", flush=True)


def measure_speed(folder: Path, events: int, texts: int) -> None:
    """Print seconds of reading, embedding and exchanges by engine. All have warm workers, but load the model."""
    source = folder / "events.jsonl"
    written = write_events(source, events, list_prompts(max(round(DISTINCT * events / EVENTS_PER_PROMPT), 1)))
    prompts = list_prompts(texts)
    lists = [prompts[first : first + TEXTS_PER_LIST] for first in range(0, texts, TEXTS_PER_LIST)]
    lake = Lake(folder / "lake")
    exchange_lake.write_lake(lake, events)
    print(
        f"{written:,} events, {source.stat().st_size / 1e6:,.0f} MB, {texts:,} texts; load {os.getloadavg()[0]:.1f}\n"
    )
    print("| engine | read events, s | embed texts, s | exchanges, s |\n|---|---|---|---|")
    with engines(folder, (1, 2)) as running:
        for number, (name, engine, _) in enumerate(running):
            start_workers(engine, folder)
            parts = PartStore(folder / f"parts-{number}", engine)
            parts.root.mkdir()
            embed = ShardedEmbedding(engine, folder, ENGLISH, "cpu")
            options = ExchangeOptions(events_per_shard=EVENTS_PER_SHARD)
            seconds = (
                time_call(partial(read_file, parts, source)),
                time_call(partial(embed_all, embed, lists)),
                time_call(partial(write_exchanges, lake, options, engine)),
            )
            print(f"| {name} | {' | '.join(f'{each:.1f}' for each in seconds)} |", flush=True)


class TimedLake(Lake):
    """A lake that measures how long tables are merged."""

    seconds: ClassVar[float] = 0.0

    def copy(self, *arguments: Any, **named: Any) -> None:  # noqa: ANN401
        """``Lake.copy``, whose seconds are added up."""
        TimedLake.seconds += time_call(partial(super().copy, *arguments, **named))


def measure_merge(folder: Path, events: int, counts: Sequence[int]) -> None:
    """Print seconds of building exchanges from more and more shards, and of the merge among them."""
    lake = TimedLake(folder)
    exchange_lake.write_lake(lake, events)
    print(f"{events:,} events; load {os.getloadavg()[0]:.1f}\n")
    print("| shards | all, s | merge, s | copy of the result by DuckDB, s |\n|---|---|---|---|")
    for count in counts:
        TimedLake.seconds = 0.0
        options = ExchangeOptions(events_per_shard=math.ceil(events / count))
        seconds = time_call(partial(write_exchanges, lake, options))
        print(f"| {count:,} | {seconds:.1f} | {TimedLake.seconds:.1f} | {time_copy(lake, folder):.1f} |", flush=True)


def time_copy(lake: Lake, folder: Path) -> float:
    """Seconds that DuckDB takes to copy the tables of exchanges."""
    target, seconds = folder / "copied", 0.0
    with duckdb.connect(config={"memory_limit": MEMORY_LIMIT}) as connection:
        for table in ("exchanges", "exchange_values"):
            query = f"copy (from '{lake.path(table)}') to '{target}' (format parquet, compression lz4_raw)"
            seconds += time_call(partial(connection.execute, query))
            target.unlink()
    return seconds


def main() -> None:
    """Print the tables that the command line asks for."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    commands = parser.add_subparsers(dest="command", required=True)
    schedule, speed, merge = (commands.add_parser(name) for name in ("schedule", "speed", "merge"))
    schedule.add_argument("--shards", type=int, default=500)
    speed.add_argument("--events", type=int, default=1_000_000)
    speed.add_argument("--texts", type=int, default=8000)
    merge.add_argument("--events", type=int, default=10_000_000)
    merge.add_argument("--counts", type=int, nargs="+", default=[20, 100, 1000])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if options.command == "schedule":
            measure_schedule(folder, options.shards)
        elif options.command == "speed":
            measure_speed(folder, options.events, options.texts)
        else:
            measure_merge(folder, options.events, options.counts)


if __name__ == "__main__":
    main()

"""Time and memory of the signals of many exchanges, beside a copy of their columns by DuckDB, and what they leave out.

    python -m turret_pipeline_tests.benchmarks.signal_speed [--exchanges 1000000] [--prompts N] [--answers N] [--quick]

Signals are built of a generated lake (``signal_lake``) with at most so many distinct prompts and answers: without the
options, as many prompts as exchanges and half as many answers. The time does not count that of the reader of vectors.
Before, the classes of the texts of a small lake are compared with those that every form gives. Exits with 1 if one
differs, or if a measure for 10,000,000 exchanges is above its limit. ``--quick`` takes less than half a minute, without
limits.
"""

import argparse
import cProfile
import json
import os
import pstats
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import polars as pl

from turret_pipeline.signals.build import SignalOptions, write_exchange_signals
from turret_pipeline.signals.classifier import ANSWER, CLASSES, FORMS_ONLY, NEITHER, PROMPT, load_classifier
from turret_pipeline.signals.rephrases import ReadVectors
from turret_pipeline.signals.text_classes import MIN_PROBABILITY, find_classes
from turret_pipeline.storage.lake import Lake, escape_sql_path
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline_tests.benchmarks import signal_lake
from turret_pipeline_tests.benchmarks.signal_lake import FIELDS, Examples, VectorReader

LIMIT_EXCHANGES, LIMIT_SECONDS, LIMIT_GIGABYTES = 10_000_000, 90.0, 4.0
PHASES = {"find_classes": "classes", "_create_turns": "sessions", "_find_similar": "rephrases", "copy": "table"}
READ = {
    "exchanges": "exchange_id, session_id, user_id, prompt_at, topic_id, subject_topic_id, answer_event_id",
    "event_texts": "event_id, field, text_id",
    "texts": "text_id, text",
}
"""Columns that are read, of which a copy is the least that the disk and DuckDB need."""


def count_differences(lake: Lake, examples: dict[str, Examples]) -> tuple[int, int]:
    """Number of texts with a class, and of texts that have another one than with every form read."""
    reader = VectorReader(examples)
    found, differing = 0, 0
    for kind in FIELDS:
        texts = lake.read("texts").filter(field=FIELDS[kind]).with_columns(characters=pl.col("text").str.len_chars())
        for model in (ENGLISH, FORMS_ONLY):
            readers: dict[str, ReadVectors] = {ENGLISH: reader.read} if model == ENGLISH else {}
            some = find_classes(kind, texts.iter_slices(20_000), readers)
            every = _classify_all(kind, model, texts, reader if readers else None)
            pairs = some.join(every, on="text_id", how="full", coalesce=True)
            names = [name for name in CLASSES[kind] if name != NEITHER]
            far = pl.any_horizontal(
                (pl.col(name) - pl.col(f"{name}_right")).abs().fill_null(1) > 1e-5 for name in names
            )
            found, differing = found + every.height, differing + pairs.filter(far).height
    return found, differing


def _classify_all(kind: str, model: str, texts: pl.DataFrame, reader: VectorReader | None) -> pl.DataFrame:
    vectors = None
    if reader is not None:
        vectors = normalize_rows(np.vstack([batch for _, batch in reader.read(texts["text_id"])]))
    probabilities = load_classifier(kind, model).classify(texts["text"], vectors)
    columns = {name: probabilities[:, at] for at, name in enumerate(CLASSES[kind]) if name != NEITHER}
    frame = texts.select("text_id").with_columns(**{name: pl.Series(values) for name, values in columns.items()})
    return frame.filter(pl.max_horizontal(columns.keys()) >= MIN_PROBABILITY)


def measure(folder: Path, exchanges: int) -> bool:
    """Print seconds and memory for the lake of a folder, and return True if they are within the limits."""
    copied, built = (_run(kind, folder) for kind in ("duckdb", "turret"))
    texts = Lake(folder / "lake").scan("texts").group_by("field").len().collect()
    counts = dict(texts.iter_rows())
    phases = ", ".join(f"{label} {built[name]:.0f} s" for name, label in PHASES.items())
    print(
        f"| {exchanges:,} | {counts[FIELDS[PROMPT]]:,} | {counts[FIELDS[ANSWER]]:,} | {copied['seconds']:.1f} s | "
        f"{built['seconds']:.1f} s | {built['processor']:.1f} s | {built['reader']:.1f} s | {built['peak']:.2f} GB | "
        f"{phases} | {os.getloadavg()[0]:.1f} |",
        flush=True,
    )
    return exchanges < LIMIT_EXCHANGES or (built["seconds"] <= LIMIT_SECONDS and built["peak"] <= LIMIT_GIGABYTES)


def _run(kind: str, folder: Path) -> dict[str, float]:
    command = [sys.executable, "-m", __spec__.name, "--child", kind, str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    figures: dict[str, float] = json.loads(done.stdout)
    return figures


def _run_child(kind: str, folder: Path) -> None:
    """Print figures of one process as JSON. Seconds, but for those of the processor, do not count the reader."""
    figures: dict[str, float] = {}
    started, reader = time.perf_counter(), None
    if kind == "turret":
        reader = VectorReader(signal_lake.read_saved(folder))
        profile = cProfile.Profile()
        profile.runcall(write_exchange_signals, Lake(folder / "lake"), {ENGLISH: reader.read}, SignalOptions())
        stats: Any = pstats.Stats(profile)
        for (_, _, name), (*_, seconds, _) in stats.stats.items():
            if name in PHASES:
                figures[name] = figures.get(name, 0) + seconds
    else:
        _copy_columns(folder)
    figures["reader"] = reader.seconds if reader else 0
    figures["seconds"] = time.perf_counter() - started - figures["reader"]
    spent = os.times()
    figures["processor"] = spent.user + spent.system
    lines = Path("/proc/self/status").read_text().splitlines()
    figures["peak"] = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) / 1e6
    print(json.dumps(figures))


def _copy_columns(folder: Path) -> None:
    with duckdb.connect(config={"memory_limit": "2GB", "temp_directory": str(folder / "spill")}) as connection:
        for table, columns in READ.items():
            source, target = escape_sql_path(folder / "lake" / f"{table}.parquet"), folder / "copy.parquet"
            options = "format parquet, compression lz4_raw"
            connection.execute(f"copy (select {columns} from '{source}') to '{target}' ({options})")
            target.unlink()


def main() -> None:
    """Compare, measure, and exit with 1 if something differs or is above its limit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--exchanges", type=int, default=1_000_000)
    parser.add_argument("--prompts", type=int)
    parser.add_argument("--answers", type=int)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--child", nargs=2, help=argparse.SUPPRESS)
    options: Any = parser.parse_args()
    if options.child:
        _run_child(options.child[0], Path(options.child[1]))
        return
    exchanges = 20_000 if options.quick else options.exchanges
    prompts, answers = options.prompts or exchanges, options.answers or max(exchanges // 2, 1)
    kept = {PROMPT: 100, ANSWER: 200} if options.quick else {PROMPT: 1000, ANSWER: 2000}
    examples = {kind: signal_lake.load_examples(kind, count) for kind, count in kept.items()}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        small = Lake(folder / "small")
        compared = 5_000 if options.quick else 20_000
        signal_lake.write_lake(small, compared, compared, compared // 2, examples)
        found, differing = count_differences(small, examples)
        print(f"{found:,} texts with a class, of which with every form read differ: {differing or 'none'}")
        signal_lake.save_examples(examples, folder)
        signal_lake.write_lake(Lake(folder / "lake"), exchanges, prompts, answers, examples)
        print(
            f"{os.cpu_count()} cores; limits for {LIMIT_EXCHANGES:,}: {LIMIT_SECONDS:.0f} s, {LIMIT_GIGABYTES:.0f} GB"
        )
        print("| exchanges | distinct prompts | answers | copy | signals | processor | reader | peak | phases | load |")
        print("|---" * 10 + "|")
        is_right = measure(folder, exchanges) and not differing
    sys.exit(0 if is_right else 1)


if __name__ == "__main__":
    main()

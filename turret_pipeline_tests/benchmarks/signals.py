"""Precision and recall of the signals on 300 exchanges that people read before any rule was written.

    python -m turret_pipeline_tests.benchmarks.signals --folder FOLDER [--half development]

Each data set of ``labelled_exchanges`` is run once into FOLDER (star_dev takes ten minutes), and only the exchanges and
signals are built anew. Counts are of exchanges; the weighted figures are estimates for the whole data set. "at random"
is the share of exchanges with the class, which a signal that says yes at random would have as its precision.
"""

import argparse
import subprocess
import sys
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.exchanges.build import ExchangeOptions, write_exchanges
from turret_pipeline.signals.build import SignalOptions, write_exchange_signals
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.topics.embedding.readers import READING
from turret_pipeline_tests.benchmarks.labelled_exchanges import CLASSES, HELD_BACK, load_labels
from turret_pipeline_tests.commands import PROJECT

EVENTS = PROJECT.parent / "shared" / "data" / "events"
SETS = ("llm_arena", "star_dev", "multiwoz_dev")
SIGNAL_OF = {name: f"is_{name}" for name in CLASSES} | {"dissatisfied": "is_struggle"}


def build_signals(name: str, folder: Path) -> pl.DataFrame:
    """Table ``exchange_signals`` of a data set."""
    data = DataDir(folder / name)
    if not data.root.exists():
        source = EVENTS / f"{name}.jsonl.gz"
        command = [sys.executable, "-m", "turret_pipeline.cli", "run", "--input", str(source)]
        subprocess.run([*command, "--data-dir", str(data.root)], check=True, stdout=subprocess.DEVNULL)
    write_exchanges(data.lake, ExchangeOptions())
    readers = {model: data.vectors(model).read_batches for model in READING}
    write_exchange_signals(data.lake, readers, SignalOptions())
    return data.lake.read("exchange_signals")


def compare(name: str, labels: pl.DataFrame, signals: pl.DataFrame) -> list[dict[str, Any]]:
    """A row per class with the counts and weights of one data set; classes without labels have none."""
    pairs = labels.join(signals, left_on="event_id", right_on="exchange_id", how="inner", validate="1:1")
    rows = []
    for label, signal in SIGNAL_OF.items():
        known = pairs.drop_nulls([label, signal])
        if known.is_empty():
            continue
        right, found = known[label], known[signal]
        weight = known["weight"]
        rows.append(
            {
                "data": name,
                "class": label,
                "exchanges": known.height,
                "labelled": int(right.sum()),
                "found": int(found.sum()),
                "right": int((right & found).sum()),
                "weight": weight.sum(),
                "labelled_weight": weight.filter(right).sum(),
                "found_weight": weight.filter(found).sum(),
                "right_weight": weight.filter(right & found).sum(),
            }
        )
    return rows


def describe(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows with precision and recall by counts, and the weighted precision beside the share of the class."""
    ratio = {
        "precision": pl.col("right") / pl.col("found"),
        "recall": pl.col("right") / pl.col("labelled"),
        "weighted_precision": pl.col("right_weight") / pl.col("found_weight"),
        "at_random": pl.col("labelled_weight") / pl.col("weight"),
    }
    shown = rows.with_columns(**{name: value.round(2) for name, value in ratio.items()})
    return shown.select("data", "class", "exchanges", "labelled", "found", "right", *ratio)


def main() -> None:
    """Build the signals of each data set, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--half", default=HELD_BACK)
    options: Any = parser.parse_args()
    rows = [
        row
        for name in SETS
        for row in compare(name, load_labels(name).filter(half=options.half), build_signals(name, options.folder))
    ]
    each = pl.DataFrame(rows)
    numbers = [column for column in each.columns if column not in {"data", "class"}]
    total = each.group_by("class", maintain_order=True).agg(pl.col(numbers).sum()).with_columns(data=pl.lit("all"))
    table = describe(pl.concat([each, total.select(each.columns)]))
    print("| " + " | ".join(table.columns) + " |", "|---" * table.width + "|", sep="\n")
    for row in table.iter_rows():
        print("| " + " | ".join(str(value) for value in row) + " |")


if __name__ == "__main__":
    main()

"""Detected types of columns of public tables compared with labels, and with the inference of Polars and pandas.

    python -m turret_pipeline_tests.benchmarks.fields [--wrong]

Each value of a column is a string on an event of its own, read by the code that reads events. Accuracy is over the
columns labelled number, enum or text; the confusion tables show the others too. Polars and pandas infer numbers, times,
booleans and strings: strings count as enum, which favours them here. Halves A and B are drawn by a hash of table and
column: a rule that helps in only one half is overfitted.
"""

import argparse
import hashlib
import io
import json
import warnings
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl

from turret_pipeline.fields.detection import detect_type
from turret_pipeline.fields.profiles import profile_fields
from turret_pipeline.fields.values import metadata_values
from turret_pipeline_tests.commands import PROJECT

COLUMNS = PROJECT.parent / "shared" / "data" / "fields" / "columns.parquet"
SCORED = ("number", "enum", "text")
FOUND = (*SCORED, "other")

Column = Mapping[str, Any]
"""A row of the file: dataset, column, coarse (the label) and values."""


def turret_type(column: Column) -> tuple[str, str]:
    """The type that Turret detects, and the reason."""
    values = metadata_values(json.dumps({column["column"]: value}) for value in column["values"])
    (profile,) = profile_fields(values)
    return detect_type(profile)


def polars_type(column: Column) -> str:
    """The type that Polars infers from CSV, with dates parsed."""
    kind = pl.read_csv(_csv(column), infer_schema_length=None, try_parse_dates=True)[column["column"]].dtype
    if kind.is_numeric():
        return "number"
    return "other" if kind.is_temporal() else "enum"


def pandas_type(column: Column) -> str:
    """The type that pandas infers from CSV."""
    series = pd.read_csv(_csv(column))[column["column"]]
    return "number" if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series) else "enum"


def _csv(column: Column) -> io.BytesIO:
    content = io.BytesIO()
    pl.DataFrame({column["column"]: column["values"]}).write_csv(content)
    content.seek(0)
    return content


def half(column: Column) -> str:
    """Half of the set: A or B."""
    digest = hashlib.sha256(f"{column['dataset']}/{column['column']}".encode()).digest()
    return "AB"[digest[0] % 2]


def accuracy(pairs: Sequence[tuple[str, str]]) -> str:
    """Share of scored columns with the right type, overall and by label."""
    scored = [(label, found) for label, found in pairs if label in SCORED]
    by_label = {label: [found == label for gold, found in scored if gold == label] for label in SCORED}
    parts = [f"{label} {sum(right)} of {len(right)}" for label, right in by_label.items()]
    share = sum(label == found for label, found in scored) / max(len(scored), 1)
    return f"{share:.3f} ({', '.join(parts)})"


def confusion(pairs: Sequence[tuple[str, str]]) -> str:
    """Table of labels by detected types."""
    counts = Counter(pairs)
    labels = [*SCORED, *sorted({label for label, _ in pairs} - set(SCORED))]
    lines = [f"| label | {' | '.join(FOUND)} |", "|---|" + "---|" * len(FOUND)]
    lines += [f"| {label} | {' | '.join(str(counts[label, found]) for found in FOUND)} |" for label in labels]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print accuracy and confusion tables, and with --wrong all misclassified columns."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--columns", type=Path, default=COLUMNS)
    parser.add_argument("--wrong", action="store_true", help="print every scored column with a wrong type")
    options = parser.parse_args(arguments)
    columns = pl.read_parquet(options.columns).to_dicts()
    methods: dict[str, Callable[[Column], str]] = {
        "turret": lambda column: turret_type(column)[0],
        "polars": polars_type,
        "pandas": pandas_type,
    }
    for method, find in methods.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas warns about columns of mixed types
            found = [find(column) for column in columns]
        named = [kind if kind in SCORED else "other" for kind in found]
        pairs = [(str(column["coarse"]), kind) for column, kind in zip(columns, named, strict=True)]
        print(f"\n{method}: accuracy {accuracy(pairs)}")
        for part in "AB":
            of_part = [pair for pair, column in zip(pairs, columns, strict=True) if half(column) == part]
            print(f"  half {part}: {accuracy(of_part)}")
        print(f"\n{confusion(pairs)}")
    if options.wrong:
        print()
        for column in columns:
            kind, reason = turret_type(column)
            if column["coarse"] in SCORED and kind != column["coarse"]:
                print(f"{column['dataset']}.{column['column']}: {column['coarse']}, found {kind}. {reason}")


if __name__ == "__main__":
    main()

"""Detected types of columns of public tables compared with labels, and with the inference of Polars and pandas.

    python -m turret_pipeline_tests.benchmarks.fields [--wrong] [--moved]

Two sets: columns with up to 400 values, labelled number, enum or text (other labels are not scored), and the columns of
SortingHat, of which five values and statistics are known. SortingHat's labels map to types like this: numeric and
embedded-number to number, categorical to enum, sentence to text, datetime to datetime, list to structured, url to
identifier, not-generalizable to identifier or constant; context-specific is not scored.

Halves A and B are drawn by a hash of the table: a rule that helps in only one half is overfitted. For leave-one-out,
the thresholds for each table are the best ones for all others, of those in force and each one moved by a fifth
(--moved shows what each of them changes), and of equally good ones the worst for the table. Polars and pandas infer
numbers, times, booleans and strings: strings count as enum, which favours them here.
"""

import argparse
import dataclasses
import io
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence

import pandas as pd
import polars as pl

from turret_pipeline.fields.close_calls import decide_type
from turret_pipeline.fields.detection import detect_type
from turret_pipeline.fields.thresholds import THRESHOLDS, Thresholds, move_thresholds
from turret_pipeline.tables import FIELD_TYPES
from turret_pipeline_tests.benchmarks.labelled_columns import (
    FOLDER,
    RIGHT_TYPES,
    LabelledColumn,
    load_columns,
    load_sortinghat,
)

SCORED = ("number", "enum", "text")
"""Labels that are scored in the first set, which has few columns of other labels."""

FIFTH = 1.2


def is_right(column: LabelledColumn, limits: Thresholds = THRESHOLDS) -> bool:
    """True if the detected type is one of those that are right for the label."""
    return detect_type(column.profile, limits).type in RIGHT_TYPES[column.label]


def accuracy(columns: Sequence[LabelledColumn], limits: Thresholds = THRESHOLDS) -> float:
    """Share of columns with the right type."""
    return sum(is_right(column, limits) for column in columns) / max(len(columns), 1)


def select(columns: Iterable[LabelledColumn], labels: Iterable[str]) -> list[LabelledColumn]:
    """The columns with one of the labels."""
    wanted = set(labels)
    return [column for column in columns if column.label in wanted]


def print_accuracy(name: str, columns: Sequence[LabelledColumn]) -> None:
    """Print the accuracy overall, by label and in both halves of the tables."""
    by_label = {label: select(columns, [label]) for label in RIGHT_TYPES}
    parts = [f"{label} {accuracy(found):.3f} of {len(found):,}" for label, found in by_label.items() if found]
    halves = [accuracy([column for column in columns if column.half == half]) for half in "AB"]
    print(f"\n{name}: {accuracy(columns):.3f} of {len(columns):,} columns ({', '.join(parts)})")
    print(f"  halves of the tables: A {halves[0]:.3f}, B {halves[1]:.3f}")


def print_confusion(columns: Sequence[LabelledColumn]) -> None:
    """Print a table of labels by detected types, including the labels that are not scored."""
    counts = Counter((column.label, detect_type(column.profile).type) for column in columns)
    print(f"\n| label | {' | '.join(FIELD_TYPES)} |\n|---|{'---|' * len(FIELD_TYPES)}")
    for label in [*RIGHT_TYPES, *sorted({label for label, _ in counts} - RIGHT_TYPES.keys())]:
        print(f"| {label} | {' | '.join(str(counts[label, found]) for found in FIELD_TYPES)} |")


def print_by_table(columns: Sequence[LabelledColumn]) -> None:
    """Print the accuracy for each table, and for each table with the thresholds that are best for all others.

    Of thresholds that are equally good for the others, the worst for the table counts: the table helped to choose those
    in force.
    """
    candidates = [THRESHOLDS, *move_thresholds(FIFTH)]
    left_out = 0.0
    for table in sorted({column.table for column in columns}):
        own = [column for column in columns if column.table == table]
        others = [column for column in columns if column.table != table]
        ratings = [(accuracy(others, limits), accuracy(own, limits)) for limits in candidates]
        best = max(ratings)[0]
        worst = min(of_own for of_others, of_own in ratings if of_others == best)
        left_out += worst * len(own)
        print(f"  {table}: {accuracy(own):.3f} of {len(own)}, left out {worst:.3f}")
    print(f"  all left out: {left_out / len(columns):.3f}")


def print_close_calls(columns: Sequence[LabelledColumn]) -> None:
    """Print the shares of wrong types among close calls and among the others."""
    marked = [(is_right(column), decide_type(column.profile).is_uncertain) for column in columns]
    wrong = {close: [not right for right, is_close in marked if is_close == close] for close in (True, False)}
    rates = {close: sum(found) / max(len(found), 1) for close, found in wrong.items()}
    print(
        f"  uncertain: {len(wrong[True]):,} columns, {rates[True]:.3f} wrong; certain: {len(wrong[False]):,}, "
        f"{rates[False]:.3f} wrong; ratio {rates[True] / max(rates[False], 1e-9):.1f}"
    )


def print_moved(sets: Mapping[str, Sequence[LabelledColumn]]) -> None:
    """Print the accuracy with each threshold moved by a fifth."""
    print(f"\n| threshold | {' | '.join(sets)} |\n|---|{'---|' * len(sets)}")
    for limits in [THRESHOLDS, *move_thresholds(FIFTH)]:
        changed = dict(dataclasses.asdict(limits).items() - dataclasses.asdict(THRESHOLDS).items())
        name = " ".join(f"{name} {value:.3g}" for name, value in changed.items()) or "in force"
        print(f"| {name} | {' | '.join(f'{accuracy(columns, limits):.3f}' for columns in sets.values())} |")


def print_other_tools() -> None:
    """Print the accuracy of Polars and pandas on the first set."""
    rows = pl.read_parquet(FOLDER / "columns.parquet").filter(pl.col("coarse").is_in(SCORED)).to_dicts()
    tools: dict[str, Callable[[str, list[str]], str]] = {"Polars": polars_type, "pandas": pandas_type}
    for name, find in tools.items():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # pandas warns about columns of mixed types
            right = [find(row["column"], row["values"]) == row["coarse"] for row in rows]
        print(f"  {name}: {sum(right) / len(right):.3f}")


def polars_type(name: str, values: list[str]) -> str:
    """The type that Polars infers from CSV, with dates parsed."""
    kind = pl.read_csv(_csv(name, values), infer_schema_length=None, try_parse_dates=True)[name].dtype
    if kind.is_numeric():
        return "number"
    return "datetime" if kind.is_temporal() else "enum"


def pandas_type(name: str, values: list[str]) -> str:
    """The type that pandas infers from CSV."""
    series = pd.read_csv(_csv(name, values))[name]
    return "number" if pd.api.types.is_numeric_dtype(series) and not pd.api.types.is_bool_dtype(series) else "enum"


def _csv(name: str, values: list[str]) -> io.BytesIO:
    content = io.BytesIO()
    pl.DataFrame({name: values}).write_csv(content)
    content.seek(0)
    return content


def main(arguments: Sequence[str] | None = None) -> None:
    """Print accuracy and confusion tables, and with --wrong all misclassified columns of the first set."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--wrong", action="store_true", help="print every scored column of the first set that is wrong")
    parser.add_argument("--moved", action="store_true", help="print the accuracy with each threshold moved by a fifth")
    options = parser.parse_args(arguments)
    columns, sortinghat = load_columns(), load_sortinghat()
    sets = {
        "columns": select(columns, SCORED),
        "SortingHat, same labels": select(sortinghat, SCORED),
        "SortingHat": select(sortinghat, RIGHT_TYPES),
    }
    for name, scored in sets.items():
        print_accuracy(name, scored)
        print_close_calls(scored)
        if name == "columns":
            print_by_table(scored)
            print_other_tools()
    for found in (columns, sortinghat):
        print_confusion(found)
    if options.moved:
        print_moved(sets)
    if options.wrong:
        print()
        for column in sets["columns"]:
            found_type, is_uncertain, reason = decide_type(column.profile)
            if not is_right(column):
                mark = " (uncertain)" if is_uncertain else ""
                print(f"{column.table}.{column.name}: {column.label}, found {found_type}{mark}. {reason}")


if __name__ == "__main__":
    main()

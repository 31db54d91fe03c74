"""Columns of public tables with their types as people labelled them."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from turret_pipeline.fields.profiles import FieldProfile, profile_fields
from turret_pipeline.fields.values import metadata_values
from turret_pipeline_tests.commands import PROJECT

FOLDER = PROJECT.parent / "shared" / "data" / "fields"
SAMPLES = tuple(f"sample_{number}" for number in range(1, 6))

RIGHT_TYPES: Mapping[str, frozenset[str]] = {
    "number": frozenset({"number"}),
    "number_in_text": frozenset({"number"}),
    "enum": frozenset({"enum"}),
    "text": frozenset({"text"}),
    "datetime": frozenset({"datetime"}),
    "list": frozenset({"structured"}),
    "text_or_id": frozenset({"identifier"}),
    "id_or_constant": frozenset({"identifier", "constant"}),
}
"""Types that are right for a label (column ``coarse``). Columns labelled ambiguous are not scored."""


class LabelledColumn(NamedTuple):
    """A column: its table, its name, its label and its profile."""

    table: str
    name: str
    label: str
    profile: FieldProfile

    @property
    def half(self) -> str:
        """Half of the tables: A or B."""
        return "AB"[hashlib.sha256(self.table.encode()).digest()[0] % 2]


def load_columns(file: Path = FOLDER / "columns.parquet") -> list[LabelledColumn]:
    """The columns with up to 400 values. Each value is a string on an event of its own."""
    rows = pl.read_parquet(file).to_dicts()
    profiles = _profile([row["values"] for row in rows])
    return [
        LabelledColumn(
            row["dataset"], row["column"], row["coarse"], dataclasses.replace(profiles[at], field=row["column"])
        )
        for at, row in enumerate(rows)
    ]


def load_sortinghat(file: Path = FOLDER / "sortinghat.parquet") -> list[LabelledColumn]:
    """Columns with five values and statistics of all values.

    Shares of kinds of values are those of the five values. Counts and the range are those of the file. It does not say
    how many values occur once: as many as with occurrences in a geometric distribution.
    """
    rows = pl.read_parquet(file).to_dicts()
    profiles = _profile([[row[name] or "" for name in SAMPLES] for row in rows])
    filled = [(row["total_vals"] - row["num_nans"], profiles[at], row) for at, row in enumerate(rows)]
    return [
        LabelledColumn(row["record_id"], row["column"], row["coarse"], _complete(profile, count, row))
        for count, profile, row in filled
        if profile.filled_count or not count
    ]


def _profile(columns: list[list[str]]) -> list[FieldProfile]:
    """Profiles of columns of values, with a number as name."""
    documents = (json.dumps({f"{at:06}": value}) for at, values in enumerate(columns) for value in values)
    return profile_fields(metadata_values(documents))


def _complete(profile: FieldProfile, filled_count: int, row: Mapping[str, Any]) -> FieldProfile:
    """The profile of the five values with the counts and the range of all values."""
    distinct = max(min(row["num_of_dist_val"], filled_count), 1)
    is_number = profile.lowest is not None and (row["min_val"] or row["max_val"])
    return dataclasses.replace(
        profile,
        field=row["column"].replace(".", "_"),
        filled_count=filled_count,
        distinct_count=distinct,
        once_count=distinct**2 // max(filled_count, 1),
        number_count=distinct if is_number else profile.number_count,
        lowest=row["min_val"] if is_number else profile.lowest,
        highest=row["max_val"] if is_number else profile.highest,
    )

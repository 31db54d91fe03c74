"""Families of comparisons: rows that were tested together, and the findings among them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.reports.report.model import Answer, Finding
from turret_pipeline.stats.families import adjust_families
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD

Describe = Callable[[Mapping[str, Any], float], Finding]


@dataclass(frozen=True)
class Family:
    """Comparisons of one kind, for one answer.

    ``rows`` has a q-value within the family (``q_value``), whether the difference is worth telling (``is_relevant``),
    and its size (``size``), by which findings are ranked. ``describe`` makes a finding of a row and its q-value within
    the report. Of several findings that are equal in ``told_once``, only the largest is told: where a share is larger
    in one segment, it is smaller in the others.
    """

    answer: str
    rows: pl.DataFrame
    describe: Describe
    told_once: tuple[str, ...] = ()


def answer_questions(
    families: Sequence[Family], notes: Mapping[str, Sequence[str]], keys: Sequence[str]
) -> list[Answer]:
    """The answers with these keys: what is different beyond chance, given all comparisons of the report."""
    adjusted = adjust_families([family.rows["q_value"].to_numpy() for family in families])
    answers = []
    for key in keys:
        found: list[Finding] = []
        for family, q_values in zip(families, adjusted, strict=True):
            if family.answer == key:
                found += _list_findings(family, q_values)
        compared = sum(family.rows.height for family in families if family.answer == key)
        answers.append(Answer(key, tuple(found), tuple(notes.get(key, ())), compared))
    return answers


def _list_findings(family: Family, q_values: "np.ndarray[Any, Any]") -> list[Finding]:
    rows = family.rows.with_columns(pl.Series("report_q", q_values, dtype=pl.Float64).fill_nan(None))
    claims = rows.filter((pl.col("report_q") <= Q_VALUE_THRESHOLD) & pl.col("is_relevant"))
    ranked = claims.sort("size", descending=True, maintain_order=True)
    if family.told_once:
        ranked = ranked.unique(family.told_once, keep="first", maintain_order=True)
    return [
        replace(family.describe(row, row["report_q"]), q_value=row["report_q"]) for row in ranked.iter_rows(named=True)
    ]

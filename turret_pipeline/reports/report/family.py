"""Families of comparisons: rows that were tested together, and the findings among them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.reports.report.model import Answer, Finding
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.stats.families import select_families
from turret_pipeline.stats.shares import Q_VALUE_THRESHOLD

Describe = Callable[[Mapping[str, Any], float], Finding]


@dataclass(frozen=True)
class Comparisons:
    """Comparisons of one kind, in words of a reader: ``noun``.

    ``rows`` has a p-value (``p_value``), whether the difference is worth telling (``is_relevant``), and its size
    (``size``), by which findings are ranked. ``describe`` makes a finding of a row and its q-value within the report.
    Of several findings that are equal in ``told_once``, only the largest is told: where a share is larger in one
    segment, it is smaller in the others.
    """

    noun: str
    rows: pl.DataFrame
    describe: Describe
    told_once: tuple[str, ...] = ()


@dataclass(frozen=True)
class Family:
    """Comparisons that answer one question of a reader: their false claims are controlled together."""

    answer: str
    parts: tuple[Comparisons, ...]

    def p_values(self) -> FloatArray:
        """P-values of all comparisons, in order."""
        return np.concatenate([np.empty(0), *(part.rows["p_value"].to_numpy() for part in self.parts)])

    def split(self, values: FloatArray) -> Iterator[tuple[Comparisons, FloatArray]]:
        """The parts, each with its own of the values of all comparisons."""
        ends = np.cumsum([part.rows.height for part in self.parts])
        return zip(self.parts, np.split(values, ends[:-1]), strict=True)


def answer_questions(
    families: Sequence[Family], notes: Mapping[str, Sequence[str]], keys: Sequence[str]
) -> list[Answer]:
    """The answers with these keys: what is different beyond chance, given all comparisons of the report."""
    families = [family for family in families if any(part.rows.height for part in family.parts)]
    adjusted = select_families([family.p_values() for family in families], Q_VALUE_THRESHOLD)
    answers = []
    for key in keys:
        found: list[Finding] = []
        unfound: dict[str, int] = {}
        for family, q_values in zip(families, adjusted, strict=True):
            for part, of_part in family.split(q_values) if family.answer == key else ():
                findings = _list_findings(part, of_part)
                found += findings
                if not findings and part.rows.height:
                    unfound[part.noun] = unfound.get(part.noun, 0) + part.rows.height
        compared = sum(part.rows.height for family in families if family.answer == key for part in family.parts)
        answers.append(Answer(key, tuple(found), (*notes.get(key, ()), *_note_unfound(found, unfound)), compared))
    return answers


def _list_findings(part: Comparisons, q_values: FloatArray) -> list[Finding]:
    rows = part.rows.with_columns(pl.Series("report_q", q_values, dtype=pl.Float64).fill_nan(None))
    claims = rows.filter((pl.col("report_q") <= Q_VALUE_THRESHOLD) & pl.col("is_relevant"))
    ranked = claims.sort("size", descending=True, maintain_order=True)
    if part.told_once:
        ranked = ranked.unique(part.told_once, keep="first", maintain_order=True)
    return [
        replace(part.describe(row, row["report_q"]), q_value=row["report_q"]) for row in ranked.iter_rows(named=True)
    ]


def _note_unfound(found: Sequence[Finding], unfound: Mapping[str, int]) -> Iterator[str]:
    """A sentence on what was compared in vain, beside findings of other kinds."""
    if found and unfound:
        yield f"Nothing beyond chance among {', '.join(f'{count:,} {noun}' for noun, count in unfound.items())}."

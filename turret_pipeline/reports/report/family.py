"""Families of comparisons: rows that were tested together, and the findings among them."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import zip_longest
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
        found: dict[str, list[_Claim]] = {}
        compared: dict[str, int] = {}
        for family, q_values in zip(families, adjusted, strict=True):
            for part, of_part in family.split(q_values) if family.answer == key else ():
                found.setdefault(part.noun, []).extend(_list_claims(part, of_part))
                compared[part.noun] = compared.get(part.noun, 0) + part.rows.height
        unfound = {noun: count for noun, count in compared.items() if count and not found[noun]}
        findings = _take_turns(found.values())
        notes_of_key = (*notes.get(key, ()), *_note_unfound(findings, unfound))
        answers.append(Answer(key, findings, notes_of_key, sum(compared.values())))
    return answers


@dataclass(frozen=True)
class _Claim:
    """A finding with the size of its difference."""

    size: float
    finding: Finding


def _list_claims(part: Comparisons, q_values: FloatArray) -> list[_Claim]:
    rows = part.rows.with_columns(pl.Series("report_q", q_values, dtype=pl.Float64).fill_nan(None))
    claims = rows.filter((pl.col("report_q") <= Q_VALUE_THRESHOLD) & pl.col("is_relevant"))
    if part.told_once:
        ranked = claims.sort("size", descending=True, maintain_order=True)
        claims = ranked.unique(part.told_once, keep="first", maintain_order=True)
    return [
        _Claim(row["size"], replace(part.describe(row, row["report_q"]), q_value=row["report_q"]))
        for row in claims.iter_rows(named=True)
    ]


def _take_turns(kinds: Iterable[Sequence[_Claim]]) -> tuple[Finding, ...]:
    """The largest of each kind, the largest first, then the second of each kind, and so on.

    Equal sizes are in the order of their sentences. Sizes of one kind do not hide another kind: shares of moves out of
    a node differ by more than shares of topics among all prompts.
    """
    ranked = [sorted(claims, key=_rank) for claims in kinds]
    turns = zip_longest(*ranked)
    return tuple(
        claim.finding for turn in turns for claim in sorted((one for one in turn if one is not None), key=_rank)
    )


def _rank(claim: _Claim) -> tuple[float, str]:
    return -claim.size, claim.finding.sentence


def _note_unfound(found: Sequence[Finding], unfound: Mapping[str, int]) -> Iterator[str]:
    """A sentence on what was compared in vain, beside findings of other kinds."""
    if found and unfound:
        yield f"Nothing beyond chance among {', '.join(f'{count:,} {noun}' for noun, count in unfound.items())}."

"""Families of comparisons: rows that were tested together, and the findings among them."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.reports.report.lines import NullResult, describe_nothing, note_null_results
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


@dataclass(frozen=True)
class _Claim:
    """A finding with the size of its difference."""

    size: float
    finding: Finding


@dataclass
class _Kind:
    """The comparisons of one noun: their number, the claims among them, and if others are beyond chance, but minor."""

    count: int = 0
    has_minor: bool = False
    claims: list[_Claim] = field(default_factory=list)

    def add(self, part: Comparisons, q_values: FloatArray) -> None:
        """Add comparisons of this noun with their q-values within the report."""
        rows = part.rows.with_columns(pl.Series("report_q", q_values, dtype=pl.Float64).fill_nan(None))
        beyond_chance = rows.filter(pl.col("report_q") <= Q_VALUE_THRESHOLD)
        claims = beyond_chance.filter("is_relevant")
        self.count += rows.height
        self.has_minor |= claims.height < beyond_chance.height
        if part.told_once:
            ranked = claims.sort("size", descending=True, maintain_order=True)
            claims = ranked.unique(part.told_once, keep="first", maintain_order=True)
        self.claims += (
            _Claim(row["size"], replace(part.describe(row, row["report_q"]), q_value=row["report_q"]))
            for row in claims.iter_rows(named=True)
        )


def answer_questions(
    families: Sequence[Family], notes: Mapping[str, Sequence[str]], reasons: Mapping[str, str]
) -> list[Answer]:
    """The answers with the keys of ``reasons``: what is different beyond chance, given all comparisons of the report.

    ``reasons`` says why nothing could be compared, if so.
    """
    families = [family for family in families if any(part.rows.height for part in family.parts)]
    adjusted = select_families([family.p_values() for family in families], Q_VALUE_THRESHOLD)
    answers = []
    for key, reason in reasons.items():
        kinds: defaultdict[str, _Kind] = defaultdict(_Kind)
        for family, q_values in zip(families, adjusted, strict=True):
            for part, of_part in family.split(q_values) if family.answer == key else ():
                kinds[part.noun].add(part, of_part)
        findings = _take_turns(kind.claims for kind in kinds.values())
        count = sum(kind.count for kind in kinds.values())
        null_results = [
            NullResult(noun, kind.count, kind.has_minor)
            for noun, kind in kinds.items()
            if kind.count and not kind.claims
        ]
        nothing = "" if findings else describe_nothing(key, null_results) if count else reason
        of_key = (*notes.get(key, ()), *(note_null_results(null_results) if findings else ()))
        answers.append(Answer(key, findings, of_key, count, nothing))
    return answers


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

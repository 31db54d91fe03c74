"""Shares of reports on shuffled rows that claim anything, and the planted facts of the sample that a report finds.

    python -m turret_pipeline_tests.benchmarks.report_claims [--data-dir DIR] [--repetitions 200] [--seed 1]
    python -m turret_pipeline_tests.benchmarks.report_claims --simulated    # worlds of simulated.py instead of a run
    python -m turret_pipeline_tests.benchmarks.report_claims --users 80000  # seconds of a report on 996,865 exchanges

Without --data-dir, the sample is run into a temporary folder first. In shuffled rows nothing differs, so that every
claim is false: at most 5 % of the reports may have any. If only some rows are shuffled, the claims of the answer that
they belong to are counted, while other answers may claim what is true. The last table shows which claims on the rows as
they are come or go if a constant is a fifth smaller or larger.
"""

import argparse
import contextlib
import functools
import itertools
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from unittest import mock

import numpy as np

from turret_pipeline.reports.published_tables import PublishedTables
from turret_pipeline.reports.report import changes, comparisons, differences, failures, family, moves
from turret_pipeline.reports.report.build import ReportOptions, build_report
from turret_pipeline.reports.report.data import ReportData
from turret_pipeline.reports.report.model import CHANGED, DIFFERS, FAILS, TALK, Finding, Report
from turret_pipeline.stats import groups
from turret_pipeline.stats.shares import share_interval
from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline.topics.insights import periods
from turret_pipeline_tests.benchmarks.false_alarms import WORLDS
from turret_pipeline_tests.benchmarks.shuffled_reports import (
    Shuffle,
    Source,
    build_journeys,
    permute_topics,
    read_source,
    shuffle_all,
    shuffle_all_but_users,
    shuffle_days,
    shuffle_segments,
    shuffle_topics,
    shuffle_users,
)
from turret_pipeline_tests.benchmarks.simulated import World
from turret_pipeline_tests.benchmarks.simulated_reports import simulate_report_data
from turret_pipeline_tests.commands import SAMPLE, run_job

SHUFFLES: dict[str, tuple[Shuffle, tuple[str, ...]]] = {
    "all": (shuffle_all, (CHANGED, FAILS, DIFFERS)),
    "all but users over sessions": (shuffle_all_but_users, (CHANGED, FAILS, DIFFERS)),
    "days over sessions": (shuffle_days, (CHANGED,)),
    "users over sessions, segments over users": (shuffle_users, (DIFFERS,)),
    "segments over users": (shuffle_segments, (DIFFERS,)),
    "topics moved along the exchanges": (shuffle_topics, (FAILS,)),
    "topics over exchanges": (permute_topics, (FAILS,)),
}

SIMULATED = {
    name: WORLDS[name]
    for name in (
        "users with few subjects, sessions that stay on them",
        "100 users, 20 topics",
        "very different days",
        "unknown users",
    )
}
"""Simulated worlds in which users differ in latency, cost, errors and ratings."""

CONSTANTS = {
    "SLOWEST": (failures,),
    "MIN_RATIO": (comparisons, periods),
    "MIN_EVENTS": (groups, periods, changes, failures, differences, moves),
    "Q_VALUE_THRESHOLD": (family, periods),
}
"""Constants of the report, and the modules that use them."""


def count_claims(report: Report, answers: Sequence[str]) -> Counter[str]:
    """Number of claims by kind in these answers."""
    return Counter(one.kind for answer in report.answers if answer.key in answers for one in answer.findings)


def print_shuffled(name: str, source: Source, repetitions: int, seed: int) -> None:
    """Print the share of reports with a claim, with its interval, after a shuffle."""
    shuffle, answers = SHUFFLES[name]
    print_rate(name, lambda rng: build_journeys(shuffle(rng, source)), answers, repetitions, seed)


def print_rate(
    name: str,
    draw: Callable[[np.random.Generator], ReportData],
    answers: Sequence[str],
    repetitions: int,
    seed: int,
) -> None:
    """Print the share of reports with a claim in these answers, on rows in which nothing differs."""
    rng, with_claim, kinds, started = np.random.default_rng(seed), 0, Counter[str](), time.perf_counter()
    for _ in range(repetitions):
        claims = count_claims(build_report(draw(rng), ReportOptions()), answers)
        if answers == (DIFFERS,):
            claims.pop("outcome", None)  # compares topics, which are not shuffled
        with_claim += bool(claims)
        kinds += claims
    low, high = share_interval(with_claim, repetitions)
    found = ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()) or "-"
    seconds = time.perf_counter() - started
    print(
        f"| {name} | {with_claim} of {repetitions} | {low:.1%} to {high:.1%} | {found} | {seconds:.0f} s |", flush=True
    )


def print_constants(source: Source) -> None:
    """Print the claims that come or go if a constant is a fifth smaller or larger."""
    data = build_journeys(source)
    usual = name_claims(build_report(data, ReportOptions()))
    print("\n| constant | claims | without | with |\n|---|---:|---|---|")
    for (name, modules), factor in itertools.product(CONSTANTS.items(), (0.8, 1.25)):
        value = getattr(modules[0], name)
        moved = 1 - (1 - value) * factor if name == "SLOWEST" else type(value)(value * factor)
        with contextlib.ExitStack() as patched:
            for module in modules:
                patched.enter_context(mock.patch.object(module, name, moved))
            report = build_report(data, ReportOptions())
        found = name_claims(report)
        changed = " | ".join("; ".join(sorted(some)) or "-" for some in (usual - found, found - usual))
        print(f"| {name} = {moved:.4g} | {len(found)} | {changed} |")


def name_claims(report: Report) -> set[str]:
    """All claims of a report, without their figures."""
    return {f"{one.sentence.split(':')[0]} ({one.label or one.kind})" for one in list_claims(report)}


def list_claims(report: Report) -> list[Finding]:
    """All claims of a report."""
    return [finding for answer in report.answers if answer.key != TALK for finding in answer.findings]


def print_size(users: int, seed: int) -> None:
    """Print the seconds and the memory of a report on simulated exchanges of this many users."""
    data = simulate_report_data(np.random.default_rng(seed), World(users=users))
    simulated = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for min_users in (1, 5):
        started = time.perf_counter()
        build_report(data, ReportOptions(min_users=min_users))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        print(
            f"{data.exchanges.height:,} exchanges, privacy_min_users {min_users}: "
            f"{time.perf_counter() - started:.1f} s, {peak / 2**20:.1f} GB ({simulated / 2**20:.1f} GB before)"
        )


def print_claims(report: Report) -> None:
    """Print all claims of a report."""
    for finding in list_claims(report):
        print(f"- {finding.sentence}")


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table of shuffles and the claims on the rows as they are."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path)
    parser.add_argument("--repetitions", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", choices=SHUFFLES, help="one shuffle instead of all")
    parser.add_argument("--users", type=int, help="measure a report on simulated exchanges of so many users instead")
    parser.add_argument("--simulated", action="store_true", help="simulated worlds instead of a data folder")
    options = parser.parse_args(arguments)
    if options.users:
        print_size(options.users, options.seed)
        return
    print("| rows | reports with a claim | 95 % interval | claims | time |\n|---|---:|---|---|---:|", flush=True)
    if options.simulated:
        for name, world in SIMULATED.items():
            draw = functools.partial(simulate_report_data, world=world)
            print_rate(name, draw, (CHANGED, FAILS, DIFFERS), options.repetitions, options.seed)
        return
    with tempfile.TemporaryDirectory() as folder:
        data_dir = options.data_dir or Path(folder) / "data"
        if options.data_dir is None:
            print(run_job(data_dir, SAMPLE), file=sys.stderr)
        source = read_source(PublishedTables(DataDir(data_dir), 1))
    for name in [options.only] if options.only else SHUFFLES:
        print_shuffled(name, source, options.repetitions, options.seed)
    print("\nClaims on the rows as they are:")
    print_claims(build_report(build_journeys(source), ReportOptions()))
    print_constants(source)


if __name__ == "__main__":
    main()

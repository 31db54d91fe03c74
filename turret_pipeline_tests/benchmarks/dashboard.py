"""Seconds per page of the dashboard on a large published file: cold, warm, with one person and with ten.

`python -m turret_pipeline_tests.benchmarks.dashboard` writes 5,000,000 events, 300 topics and 1,000,000 sessions,
starts the dashboard as a process of its own, and opens every page with several filters. Cold is the first view of a
URL, once the server has computed the main pages in advance; warm are those after it. Meanwhile the file is published
again: no request may fail. The bare aggregation in DuckDB (exchanges, sessions and users per topic) stands beside it.
Exits with 1 if a limit is not kept.
"""

import argparse
import concurrent.futures
import itertools
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import httpx
import numpy as np

from turret_pipeline.storage.data_dir import DataDir
from turret_pipeline_tests.benchmarks.published_lake import Size, write_published

WARM_UP_LIMIT = 60
LIMIT_ONE, LIMIT_TEN, LIMIT_MEGABYTES = 0.5, 1.5, 500
FILTERS = (
    "",
    "since=2026-05-01&until=2026-05-28",
    "segment=plan%3Dfree",
    "since=2026-05-01&until=2026-05-28&segment=plan%3Dfree&segment=locale%3Den&segment=locale%3Dde",
)
PAGES = (
    "",
    "topics",
    "topics?sort=user_count",
    "topics/prompt-3",
    "exchanges?topic=prompt-3",
    "exchanges?signal=declined",
    "sessions",
    "sessions/s000000100",
    "journeys?node=prompt-3",
    "journeys/transitions",
    "journeys/paths",
    "journeys/funnel?step=topic%3Aprompt-1&step=topic%3Aprompt-2",
    "journeys/funnel?step=topic%3Aprompt-1&step=topic%3Aprompt-2&step=topic%3Aprompt-3&within=1h&order=any",
    "journeys/matrix",
    "journeys?dimension=event_name",
    "journeys/transitions?dimension=event_name",
    "journeys/paths?dimension=event_name",
    "journeys?dimension=user%3Aprompt",
    "sessions?from=prompt-1&to=prompt-2",
    "sessions?from=prompt_sent&to=answer_shown&dimension=event_name",
    "texts?field=prompt&topic=prompt-3",
    "users",
    "users?topic=prompt-3",
    "fields",
    "quality",
    "sql",
    "collector",
)
BARE = "select topic_id, count(*), count(distinct session_id), count(distinct user_id) from marts.exchanges group by 1"


@dataclass(frozen=True)
class Answered:
    """A request: its path, its status (0: none), its seconds, and those of the server's processor."""

    path: str
    status: int
    seconds: float
    processor_seconds: float = 0.0


@contextmanager
def run_server(folder: Path) -> Iterator[tuple[str, int]]:
    """The dashboard of a data folder as a process: its URL and process id."""
    command = [sys.executable, "-m", "turret_pipeline.cli", "dashboard", "--port", "0", "--data-dir", str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found, "the dashboard did not start"
            yield f"{found[0]}/default", process.pid
        finally:
            process.send_signal(signal.SIGINT)


def list_urls(pages: Sequence[str], filters: Sequence[str]) -> list[str]:
    """Every page with every filter."""
    pairs = itertools.product(pages, filters)
    return [f"{page}{'&' if '?' in page else '?'}{one}" if one else page for page, one in pairs]


def open_page(client: httpx.Client, home: str, path: str, process: int) -> Answered:
    """The page, read to its end."""
    started, used = time.perf_counter(), read_processor_seconds(process)
    try:
        status = client.get(f"{home}/{path}" if path and not path.startswith("?") else f"{home}{path}").status_code
    except httpx.TransportError:
        status = 0
    return Answered(path, status, time.perf_counter() - started, read_processor_seconds(process) - used)


def visit_all(home: str, process: int, urls: Sequence[str], people: int) -> list[Answered]:
    """The urls, opened by several people at once, each in another order."""

    def visit(person: int) -> list[Answered]:
        start = person * len(urls) // people
        with httpx.Client(timeout=120) as client:
            return [open_page(client, home, path, process) for path in (*urls[start:], *urls[:start])]

    with concurrent.futures.ThreadPoolExecutor(people) as pool:
        return [answer for answers in pool.map(visit, range(people)) for answer in answers]


def read_processor_seconds(process: int) -> float:
    """Seconds that a process, and those that it started and waited for, have used the processor."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


def wait_for_warm_up(process: int) -> float:
    """The seconds until the server rests, at most WARM_UP_LIMIT: it computes the main pages in advance."""
    started, used = time.monotonic(), -1.0
    while (now := read_processor_seconds(process)) > used + 0.05 and time.monotonic() - started < WARM_UP_LIMIT:
        used = now
        time.sleep(1)
    return time.monotonic() - started


def read_memory(process: int) -> tuple[float, float]:
    """Megabytes that a process uses now, and at most until now."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    values = {line.split(":")[0]: line.split()[1] for line in lines if line.startswith("Vm")}
    return int(values["VmRSS"]) / 1e3, int(values["VmHWM"]) / 1e3


def describe(name: str, answers: Sequence[Answered], limit: float | None, megabytes: float) -> bool:
    """Print a row of the table, with the memory at most until then; true if nothing failed and the limit is kept."""
    seconds = np.array([answer.seconds for answer in answers])
    failed = [answer for answer in answers if answer.status != 200]
    p95 = float(np.quantile(seconds, 0.95))
    slowest = max(answers, key=lambda answer: answer.seconds)
    print(
        f"| {name} | {len(answers)} | {len(failed)} | {np.median(seconds):.2f} | {p95:.2f} | {slowest.seconds:.2f} | "
        f"{slowest.path or 'home'} | {'' if limit is None else limit} | {megabytes:,.0f} |",
        flush=True,
    )
    for answer in failed:
        print(f"{answer.path} failed: {answer.status}", file=sys.stderr)
    return not failed and (limit is None or p95 <= limit)


def publish_again(folder: Path) -> None:
    """Replace the published file by a copy of it, as a run does."""
    warehouse = DataDir(folder).warehouse
    warehouse.publish(Path(shutil.copyfile(warehouse.published, warehouse.build_path("again"))), 2, "again")
    warehouse.remove_superseded("again")


def describe_pages(pages: Sequence[str], cold: Sequence[Answered], warm: Sequence[Answered]) -> None:
    """Print a row per page with its figures over all filters."""
    print("\n| page | cold median s | cold p95 s | processor s, mean | most | warm p95 s |\n" + "|---" * 6 + "|")
    count = len(cold) // len(pages)
    for place, page in enumerate(pages):
        of_page = slice(place * count, (place + 1) * count)
        seconds = [answer.seconds for answer in cold[of_page]]
        used = [answer.processor_seconds for answer in cold[of_page]]
        again = np.quantile([answer.seconds for answer in warm[of_page]], 0.95)
        print(
            f"| {page or 'home'} | {np.median(seconds):.2f} | {np.quantile(seconds, 0.95):.2f} | {np.mean(used):.2f} "
            f"| {max(used):.2f} | {again:.2f} |",
            flush=True,
        )


def measure(
    folder: Path, pages: Sequence[str], people: int = 10, filters: Sequence[str] = FILTERS
) -> tuple[bool, bool]:
    """Print the tables for a data folder; true if no request failed, and true if all limits are kept."""
    urls = list_urls(pages, filters)
    with duckdb.connect(str(folder / "warehouse" / "turret.duckdb"), read_only=True) as connection:
        started = time.perf_counter()
        connection.execute(BARE).fetchall()
        print(f"Bare aggregation in DuckDB: {time.perf_counter() - started:.2f} s; load {os.getloadavg()[0]:.1f}\n")
    with run_server(folder) as (home, process):
        print(f"The server rested {wait_for_warm_up(process):.0f} s after its start.")
        cold, warm = (visit_all(home, process, urls, 1) for _ in range(2))
        describe_pages(pages, cold, warm)
        print(
            "\n| | requests | failed | median s | p95 s | slowest s | slowest page | limit | MB |\n" + "|---" * 9 + "|"
        )
        most = read_memory(process)[1]
        is_kept = [
            describe("cold, one person", cold, LIMIT_ONE, most),
            describe("warm, one person", warm, LIMIT_ONE, most),
        ]
        ten = visit_all(home, process, urls, people)
        is_kept.append(describe(f"warm, {people} people", ten, LIMIT_TEN, read_memory(process)[1]))
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            publishing = pool.submit(publish_again, folder)
            meanwhile = visit_all(home, process, urls, people)
            now, most = read_memory(process)
            is_kept.append(describe(f"{people} people, published meanwhile", meanwhile, LIMIT_TEN, most))
            publishing.result()
        print(f"\nMemory: {now:,.0f} MB now, {most:,.0f} MB at most (limit {LIMIT_MEGABYTES} MB)")
    has_succeeded = all(answer.status == 200 for answer in (*cold, *warm, *ten, *meanwhile))
    return has_succeeded, all(is_kept) and most <= LIMIT_MEGABYTES


def main() -> None:
    """Write the file unless a folder is given, and measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="data folder of an earlier `published_lake`")
    parser.add_argument("--sessions", type=int, default=Size.sessions)
    parser.add_argument("--pages", nargs="*", default=PAGES)
    options = parser.parse_args()
    if options.folder:
        sys.exit(0 if all(measure(options.folder, options.pages)) else 1)
    with tempfile.TemporaryDirectory() as name:
        write_published(Path(name), Size(options.sessions, max(options.sessions // 5, 1)))
        sys.exit(0 if all(measure(Path(name), options.pages)) else 1)


if __name__ == "__main__":
    main()

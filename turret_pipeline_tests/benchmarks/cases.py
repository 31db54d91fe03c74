"""Events that `turret run` reads from real exports, compared with counts that were written by hand.

    python -m turret_pipeline_tests.benchmarks.cases [--cases DIR] [CASE ...]

Without CASE: all of cases.json. Each case is read into a data folder of its own, and its published file is compared
with the expected counts and facts. A number that differs is shown as "found (expected)". Texts are compared by the
first 12 hex digits of their SHA-256, because no text of the cases may be part of the project. Exits with 1 if a case is
wrong, or if the folder of the cases is absent.
"""

import argparse
import datetime as dt
import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from turret_pipeline_tests.commands import PROJECT, installed_turret, open_published, prepare_data_dir, warehouse

CASES = PROJECT.parent / "shared" / "cases"
EXPECTED = Path(__file__).with_name("cases.json")

_TEXT = "json_extract_string(metadata, '$.{}')"
PROMPT, ANSWER = _TEXT.format("prompt"), _TEXT.format("generation")
COUNTS = {
    "events": "count(*) from marts.events",
    "sessions": "count(*) from marts.sessions",
    "users": "count(distinct user_id) from marts.events",
    "prompts": f"count(*) from marts.events where {PROMPT} != ''",
    "answers": f"count(*) from marts.events where {ANSWER} != ''",
    "tool_events": "count(*) from marts.events where starts_with(event_name, 'tool:')",
    "rejected": "count(*) from marts.rejected_events",
}
"""Queries of the counts, by name."""

SELECTORS = {
    "first_event": ("event_id", 0),
    "last_event": ("event_id", -1),
    "first_prompt": ("prompt", 0),
    "last_prompt": ("prompt", -1),
    "first_answer": ("answer", 0),
    "last_answer": ("answer", -1),
}
"""Names of events in facts: the column that they have, and their position among the events that have it. Any other name
is an event_id."""

FACT_KEYS = ("at", "user_id", "session_id", "event_name", "text_sha256", "is_time_ahead")

Event = Mapping[str, Any]
"""An event with FACT_KEYS and the columns of SELECTORS."""


@dataclass(frozen=True)
class Case:
    """An input, and what its published tables must hold.

    ``facts`` are values of single events, ``edges`` counts of transitions between event names, ``tool_names`` the names
    of tool events. ``links`` are symbolic links by path, made in a copy of the case: storage may not keep them.
    """

    input: str
    counts: Mapping[str, int]
    facts: Sequence[Mapping[str, Any]] = ()
    edges: Sequence[Mapping[str, Any]] = ()
    tool_names: Sequence[str] = ()
    fields_at_most: int | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def folder(self) -> str:
        """Name of the folder that holds the case."""
        return Path(self.input).parts[0]


def load_cases() -> dict[str, Case]:
    """All cases by name."""
    return {name: Case(**entry) for name, entry in json.loads(EXPECTED.read_text(encoding="utf-8"))["cases"].items()}


def load_left_out() -> dict[str, str]:
    """Folders without a case, and the reasons."""
    left_out: dict[str, str] = json.loads(EXPECTED.read_text(encoding="utf-8"))["left_out"]
    return left_out


def hash_text(text: str | None) -> str | None:
    """First 12 hex digits of the SHA-256 of a text."""
    return None if text is None else hashlib.sha256(text.encode()).hexdigest()[:12]


def prepare_input(cases: Path, case: Case, folder: Path) -> Path:
    """Path of the input of a case; in a copy below ``folder`` if the case has symbolic links."""
    if not case.links:
        return cases / case.input
    source, copy = cases / case.folder, folder / case.folder
    for file in source.rglob("*"):
        target = copy / file.relative_to(source)
        if file.is_file() and str(file.relative_to(source)) not in case.links:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, target)
    for link, destination in case.links.items():
        (copy / link).parent.mkdir(parents=True, exist_ok=True)
        (copy / link).symlink_to(destination, target_is_directory=True)
    return folder / case.input


def read_counts(connection: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Counts of a published file by name."""
    return {name: int(connection.execute(f"select {query}").fetchall()[0][0]) for name, query in COUNTS.items()}


def read_events(connection: duckdb.DuckDBPyConnection) -> list[Event]:
    """All events in published order, with hashes in place of texts."""
    rows: list[dict[str, Any]] = (
        connection.sql(f"""
            select event_id, event_at as at, user_id, session_id, event_name, is_time_ahead,
                nullif({PROMPT}, '') as prompt, nullif({ANSWER}, '') as answer
            from marts.events order by event_at, source_file, line_number, item_number""")
        .pl()
        .to_dicts()
    )
    return [{**row, "text_sha256": hash_text(row["prompt"] or row["answer"])} for row in rows]


def select_event(events: Sequence[Event], name: str) -> Event | None:
    """The event that a fact names, or None."""
    column, position = SELECTORS.get(name, ("event_id", 0))
    named = [event for event in events if event[column] is not None and (name in SELECTORS or event[column] == name)]
    return named[position] if named else None


def find_wrong_facts(events: Sequence[Event], case: Case) -> Iterator[str]:
    """A sentence for each fact about single events that does not hold."""
    for fact in case.facts:
        event = select_event(events, fact["event"])
        if event is None:
            yield f"{fact['event']}: not found"
            continue
        for key in (key for key in FACT_KEYS if key in fact):
            expected = dt.datetime.fromisoformat(fact[key]) if key == "at" else fact[key]
            if event[key] != expected:
                yield f"{fact['event']}: {key} is {event[key]} ({expected})"
    tool_names = sorted(name for event in events if (name := event["event_name"]).startswith("tool:"))
    if tool_names != sorted(case.tool_names):
        yield f"tool events: {tool_names} ({sorted(case.tool_names)})"


def find_wrong_tables(connection: duckdb.DuckDBPyConnection, case: Case) -> Iterator[str]:
    """A sentence for each fact about other tables that does not hold, and one if times were assumed."""
    query = """
        select coalesce(sum(transition_count), 0)::bigint from marts.journey_edges
        where dimension = 'event_name' and from_node_id = $from and to_node_id = $to"""
    for edge in case.edges:
        nodes = {"from": edge["from"], "to": edge["to"]}
        if (found := connection.execute(query, nodes).fetchall()[0][0]) != edge["count"]:
            yield f"{edge['from']} -> {edge['to']}: {found} transitions ({edge['count']})"
    field_count = connection.execute("select count(*) from marts.fields").fetchall()[0][0]
    if case.fields_at_most is not None and field_count > case.fields_at_most:
        yield f"{field_count} fields (at most {case.fields_at_most})"
    assumed = connection.execute("select count(*) from marts.events where is_time_assumed").fetchall()[0][0]
    if assumed:
        yield f"{assumed} events with an assumed time (0)"


def compare_counts(found: Mapping[str, int], expected: Mapping[str, int]) -> list[str]:
    """Cells of the counts, "found (expected)" if they differ."""
    return [
        str(found[name]) if found[name] == expected[name] else f"{found[name]} ({expected[name]})" for name in COUNTS
    ]


def check_case(cases: Path, case: Case, folder: Path) -> tuple[list[str], list[str]]:
    """Cells of the counts, and a sentence for each fact that does not hold, after a run into ``folder``."""
    data_dir = folder / "data"
    prepare_data_dir(data_dir)
    checkout = {"PYTHONPATH": str(PROJECT)}  # the code beside this file, even if another checkout is installed
    source = prepare_input(cases, case, folder)
    done = installed_turret("run", "--input", source, "--data-dir", data_dir, extra=checkout)
    if done.returncode or not warehouse(data_dir).exists():
        reason = (done.stderr or done.stdout).strip().splitlines()[-1:]
        return [f"- ({case.counts[name]})" for name in COUNTS], [f"exit {done.returncode}: {' '.join(reason)}"]
    with open_published(data_dir) as connection:
        wrong = [*find_wrong_facts(read_events(connection), case), *find_wrong_tables(connection, case)]
        return compare_counts(read_counts(connection), case.counts), wrong


def print_cases(cases: Path, selected: Mapping[str, Case]) -> int:
    """Number of cases that are right, after a row for each is printed, and all facts that do not hold."""
    names = [name.replace("_", " ") for name in COUNTS]
    print(f"| case | {' | '.join(names)} | result |\n|---|{'---:|' * len(COUNTS)}---|", flush=True)
    right, remarks = 0, list[str]()
    for name, case in selected.items():
        with tempfile.TemporaryDirectory() as folder:
            cells, wrong = check_case(cases, case, Path(folder))
        is_right = not wrong and cells == [str(case.counts[count]) for count in COUNTS]
        right += is_right
        remarks += [f"{name}: {sentence}" for sentence in wrong]
        print(f"| {name} | {' | '.join(cells)} | {'right' if is_right else 'wrong'} |", flush=True)
    print("", *remarks, f"{right} of {len(selected)} cases are right.", sep="\n")
    return right


def main(arguments: Sequence[str] | None = None) -> None:
    """Print a table of the cases. Exits with 1 unless all of them are right."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="CASE", help="name of a case, or of a folder with several")
    parser.add_argument("--cases", type=Path, default=CASES)
    options = parser.parse_args(arguments)
    if not options.cases.is_dir():
        sys.exit(f"The folder of cases {options.cases} does not exist: name it with --cases.")
    known = load_cases()
    unknown = {name for name in options.names if not any(name in {key, case.folder} for key, case in known.items())}
    if unknown:
        parser.error(f"unknown cases: {', '.join(sorted(unknown))}. Known: {', '.join(known)}")
    names = set(options.names or known)
    selected = {name: case for name, case in known.items() if names & {name, case.folder}}
    sys.exit(print_cases(options.cases, selected) < len(selected))


if __name__ == "__main__":
    main()

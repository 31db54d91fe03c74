"""Thousands of rows of every format, read by `turret run` and sent through the collector: the events must be equal.

    python -m turret_pipeline_tests.benchmarks.formats [--rows 2000] [FORMAT ...]

The rows of a format are its example with other ids, times and texts. One folder holds a file for each format, and
`turret run` reads it. `turret send` sends the same files to a collector on loopback, and a second `turret run` reads
what the collector stored. Prints rows, events, sessions, users, prompts and answers of each format, and exits with 1 if
a row is lost, or if the events differ.
"""

import argparse
import datetime as dt
import json
import re
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from turret_pipeline.events.formats import FORMATS, parse_record
from turret_pipeline_tests.collector.servers import run_server
from turret_pipeline_tests.commands import installed_turret, open_published, prepare_data_dir

TEXTS = 40
"""Different texts of each format: what is measured is reading, not topics."""

ID = re.compile(r"(?=.*[\d-])[\w.:|-]{2,}")
UNIX_SECONDS = (1.5e9, 2.5e9)
SUBJECTS = ("invoice", "password", "parcel", "holiday", "recipe", "contract", "garden", "salary", "lamp", "train")
COUNTS = {
    "events": pl.len(),
    "sessions": pl.col("session_id").n_unique(),
    "users": pl.col("user_id").drop_nulls().n_unique(),
    "prompts": pl.col("prompt").is_not_null().sum(),
    "answers": pl.col("generation").is_not_null().sum(),
}


def vary_row(value: Any, number: int, prefix: str) -> Any:  # noqa: ANN401 - any JSON
    """The value with ids, times and texts of its own for each number."""
    if isinstance(value, Mapping):
        return {
            _vary_key(key, inner, number, prefix): _vary_number_id(inner, number)
            if key.lower().endswith("id") and _is_number_id(inner)
            else vary_row(inner, number, prefix)
            for key, inner in value.items()
        }
    if isinstance(value, list):
        return [vary_row(inner, number, prefix) for inner in value]
    if isinstance(value, str):
        return _vary_text(value, number, prefix)
    return _shift_unix(value, number) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _is_number_id(value: object) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and str(value).isdecimal() and int(value) < 1e9


def _vary_number_id(value: str | int, number: int) -> str | int:
    return type(value)(int(value) * 100_000 + number)


def _vary_key(key: str, inner: object, number: int, prefix: str) -> str:
    """A key that is the id of the object under it varies with it."""
    return f"{prefix}{key}-{number}" if isinstance(inner, Mapping) and inner.get("id") == key else key


def _vary_text(text: str, number: int, prefix: str) -> str:
    if text[:1] in {"{", "["}:
        return json.dumps(vary_row(json.loads(text), number, prefix))
    try:
        at = dt.datetime.fromisoformat(text.removesuffix(" UTC"))
        return (at + dt.timedelta(minutes=number)).isoformat(" " if " " in text else "T") + (
            " UTC" if "UTC" in text else ""
        )
    except ValueError:
        pass
    if text.isdecimal():
        return str(_shift_unix(int(text), number))
    if " " in text:
        return f"{text} {SUBJECTS[number % len(SUBJECTS)]} {chr(97 + number % TEXTS // len(SUBJECTS))}"
    return f"{prefix}{text}-{number}" if ID.fullmatch(text) else text


def _shift_unix(value: float, number: int) -> float:
    for unit in (1, 10**3, 10**6, 10**9):
        if UNIX_SECONDS[0] * unit < value < UNIX_SECONDS[1] * unit:
            return value + number * 60 * unit
    return value


def write_rows(folder: Path, names: Sequence[str], rows: int) -> dict[str, int]:
    """Write a file of JSON lines for each format. Returns the number of events that each must give."""
    folder.mkdir(parents=True)
    expected = dict[str, int]()
    for name in names:
        lines = [vary_row(FORMATS[name].example, number, f"{name}.") for number in range(rows)]
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line, separators=(",", ":")) + "\n" for line in lines))
        expected[name] = rows * len(parse_record(FORMATS[name].example))
    return expected


def run(data_dir: Path, *arguments: str | Path, **variables: str) -> None:
    """Run the main job. Raises AssertionError if it fails."""
    prepare_data_dir(data_dir)
    result = installed_turret("run", "--data-dir", data_dir, *arguments, extra=variables)
    assert result.returncode == 0, result.stdout + result.stderr


def send(data_dir: Path, files: Sequence[Path]) -> None:
    """Send the files through a collector to the landing folder of a project. Raises AssertionError if one fails."""
    data_dir.mkdir(parents=True)
    with run_server(data_dir) as server:
        for file in files:
            variables = {"TURRET_COLLECTOR_API_KEY": server.key}
            result = installed_turret("send", file, "--url", server.url, "--data-dir", data_dir, extra=variables)
            assert result.returncode == 0, result.stdout + result.stderr


def read_events(data_dir: Path) -> pl.DataFrame:
    """The published events, without what differs between a file and the collector."""
    with open_published(data_dir) as connection:
        events: pl.DataFrame = connection.sql(
            "select source_file, event_id, event_name, session_id, user_id, event_at, "
            "metadata ->> 'prompt' as prompt, metadata ->> 'generation' as generation, metadata "
            "from marts.events order by event_at, event_name, session_id, user_id, metadata"
        ).pl()
        return events


COMPARED = ("event_name", "session_id", "user_id", "event_at", "prompt", "generation", "metadata")


def report(read: pl.DataFrame, sent: pl.DataFrame, expected: Mapping[str, int], rows: int) -> Iterator[str]:
    """Lines of the table, and a last line that says if the collector's events are equal."""
    yield "| format | rows | " + " | ".join(COUNTS) + " | expected events |\n" + "|---" * (len(COUNTS) + 3) + "|"
    by_file = read.with_columns(pl.col("source_file").str.extract(r"([^/]+)\.jsonl$").alias("format"))
    counts = by_file.group_by("format").agg(**COUNTS).rows_by_key("format", named=True, unique=True)
    for name, events in expected.items():
        found = counts.get(name, dict.fromkeys(COUNTS, 0))
        wrong = "" if found["events"] == events else " **wrong**"
        numbers = " | ".join(f"{found[key]:,}" for key in COUNTS)
        yield f"| {name} | {rows:,} | {numbers} | {events:,}{wrong} |"
    yield from _describe_differences(read, sent)


def _describe_differences(read: pl.DataFrame, sent: pl.DataFrame) -> Iterator[str]:
    """A line that says if both have equal events. Names of derived sessions are left out: they hold event ids."""
    left, right = (
        frame.select(COMPARED).with_columns(pl.col("session_id").str.replace("^session-.*", "derived"))
        for frame in (read, sent)
    )
    only_read, only_sent = (
        one.join(other, on=COMPARED, how="anti", nulls_equal=True) for one, other in ((left, right), (right, left))
    )
    if only_read.is_empty() and only_sent.is_empty():
        yield "The collector gives equal events."
        return
    yield f"**{only_read.height:,} events were read only, and {only_sent.height:,} sent only**, such as:"
    yield from (str(row) for frame in (only_read, only_sent) for row in frame.head(3).rows(named=True))


def main() -> None:
    """Print the table, and exit with 1 if a row is lost or events differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="FORMAT", choices=[*FORMATS, []])
    parser.add_argument("--rows", type=int, default=2000)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        landing, read, sent = Path(folder, "landing"), Path(folder, "read"), Path(folder, "sent")
        expected = write_rows(landing, arguments.names or list(FORMATS), arguments.rows)
        run(read, "--input", landing)
        send(sent, sorted(landing.iterdir()))
        run(sent, "--input", sent / "projects" / "demo" / "landing")
        lines = list(report(read_events(read), read_events(sent), expected, arguments.rows))
    print(*lines, sep="\n")
    sys.exit(any("**" in line for line in lines))


if __name__ == "__main__":
    main()

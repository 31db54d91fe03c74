"""Fuzz test of parsing: randomly damaged inputs must not cause a crash or a lost row.

    python -m turret_pipeline_tests.benchmarks.fuzz [--minutes 10] [--seed 0]

Valid files of every format are truncated, spliced, repeated and interspersed with bytes. Every input is read in blocks
and parsed with scrubbing, and every fiftieth is stored in the lake. Every row must become an event or a rejection, and
a valid line before and after the damage must be accepted.
"""

import argparse
import gzip
import io
import json
import random
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from backports import zstd

from turret_pipeline.events.formats import FORMATS
from turret_pipeline.events.parsing import ParseOptions, parse_block
from turret_pipeline.events.privacy import Privacy
from turret_pipeline.ingest.reading import read_blocks
from turret_pipeline.scrubbing import KINDS
from turret_pipeline_tests.ingest.imports import FILE_TIME, build_lake, row_counts

OPTIONS = ParseOptions(FILE_TIME, privacy=Privacy(frozenset(KINDS)))
NAMES = ("a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.jsonl.gz", "a.json.zst", "a.xes", "a.pb")
SPRINKLES = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\n", b"\r\n", b'"', b"\\", b"\\u", b"\\ud800", b"{", b"}", b"[", b"]", b","),
    *(b"NaN", b"Infinity", b"1e999", b"-0", b"9" * 400, b"null", b"0001-01-01T00:00:00Z", b"9999-12-31", b"[" * 2000),
    *(b"\x1f\x8b\x08", b"PAR1", b"\x28\xb5\x2f\xfd", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"a@b.co", b"\x0b\x1c\x85"),
)
XES = (
    b'<?xml version="1.0"?><log><trace><string key="concept:name" value="c-1"/><event><string key="concept:name" '
    b'value="Pay"/><date key="time:timestamp" value="2026-03-02T09:15:00Z"/></event></trace></log>'
)
BATCH = json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [FORMATS["otel_span"].example] * 2}]}]}).encode()
SENTINEL = b'{"event_id":"sentinel","name":"sentinel","timestamp":"2024-05-01T12:00:00Z"}'


def build_seeds() -> list[bytes]:
    """Valid rows: the example of every format, and a few more."""
    rows = [json.dumps(spec.example).encode() for spec in FORMATS.values()]
    rows += [BATCH, XES, b"case:concept:name;concept:name;time:timestamp\nc-1;Pay;2026-03-02T09:15:00Z"]
    return [*rows, SENTINEL, b"name,timestamp,metadata", b'a,2024-05-01T12:00:00Z,"{""plan"": ""pro""}"', b"[1,2]", b""]


def damage(generator: random.Random, rows: list[bytes]) -> bytes:
    """A file of valid rows, damaged in a few places."""
    content = generator.choice((b"\n", b"\n", b",", b"\r\n")).join(
        generator.choices(rows, k=generator.randrange(1, 12))
    )
    if generator.random() < 0.2:
        content = b"[" + content + b"]"
    for _ in range(generator.randrange(8)):
        at, end = sorted(generator.randrange(len(content) + 1) for _ in range(2))
        content = generator.choice(
            (
                content[:at] + generator.choice(SPRINKLES) + content[at:],
                content[:at] + content[end:] if end - at < 200 else content[:at] + content[at + 1 :],
                content[:at] + bytes([generator.randrange(256)]) + content[at + 1 :],
                content[:end] + content[at:end] * 2 + content[end:] if len(content) < 20_000 else content,
                content[:end],
            )
        )
    pack = generator.random()
    content = gzip.compress(content) if pack < 0.1 else zstd.compress(content) if pack < 0.2 else content
    return content[: generator.randrange(len(content) + 1)] if pack < 0.05 else content


def count_rows(name: str, content: bytes) -> tuple[int, int]:
    """Number of events and of rejected rows. Raises AssertionError if a row is neither or both.

    A line that is a batch of spans has several rows.
    """
    events = rejected = 0
    for block in read_blocks(io.BytesIO(content), name):
        parsed = parse_block(block, OPTIONS)
        accepted = parsed.events.select("line_number", "row_in_line").n_unique() if parsed.events.height else 0
        assert accepted + parsed.rejected.height == parsed.row_count, "a row is neither or both"
        events, rejected = events + parsed.events.height, rejected + parsed.rejected.height
    return events, rejected


def check_sentinel(generator: random.Random, content: bytes) -> None:
    """Check that a valid line before and after damaged lines is accepted."""
    lines = SENTINEL + b"\n" + content.replace(b"\n[", b"\n") + b"\n" + SENTINEL + b"\n"
    found = 0
    for block in read_blocks(io.BytesIO(lines), generator.choice(("a.jsonl", "a.ndjson"))):
        found += int((parse_block(block, OPTIONS).events["event_name"] == "sentinel").sum())
    assert found >= 2, "a valid line was lost"


def check_lake(name: str, content: bytes) -> None:
    """Check that the counts of the file add up in the lake."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        for _, rows, accepted, duplicate, rejected in row_counts(build_lake(Path(folder), [path])):
            assert rows == accepted + duplicate + rejected, "the counts do not add up"


def generate_inputs(seed: int, minutes: float) -> Iterator[tuple[int, random.Random, str, bytes]]:
    """Number, random generator, name and content of inputs until the time is over."""
    end, rows, number = time.monotonic() + 60 * minutes, build_seeds(), 0
    while time.monotonic() < end:
        generator = random.Random(f"{seed}-{number}")
        yield number, generator, generator.choice(NAMES), damage(generator, rows)
        number += 1


def main() -> None:
    """Parse inputs until the time is over, and print their counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total = Counter[str]()
    for number, generator, name, content in generate_inputs(options.seed, options.minutes):
        try:
            events, rejected = count_rows(name, content)
            if content[:2] != b"\x1f\x8b" and not content.startswith((b"\x28\xb5\x2f\xfd", b"PAR1")):
                check_sentinel(generator, content)
            if number % 50 == 0:
                check_lake(name, content)
                total["stored in the lake"] += 1
        except Exception:
            print(f"input {number} of seed {options.seed} ({name}): {content!r}")
            raise
        total.update({"inputs": 1, "bytes": len(content), "events": events, "rejected rows": rejected})
    print(", ".join(f"{count:,} {what}" for what, count in total.items()) + "; no crash, no row lost")


if __name__ == "__main__":
    main()

"""Inputs that were broken at random, for minutes: the count of what was read without a crash or a lost row.

    python -m turret_pipeline_tests.benchmarks.fuzz [--minutes 10] [--seed 0]

Good files of every format are cut, spliced, repeated and sprinkled with bytes. Every input is read in blocks and
parsed, with what identifies people hidden, and each fiftieth goes through the lake. Every row must be an event or a
refusal, and a good line put before and behind what is broken must be accepted.
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
from turret_pipeline_tests.ingest.imports import FILE_TIME, counts, lake_of

READING = ParseOptions(FILE_TIME, privacy=Privacy(frozenset(KINDS)))
NAMES = ("a.jsonl", "a.json", "a.csv", "a.tsv", "a.parquet", "a.jsonl.gz", "a.json.zst")
SPRINKLES = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\n", b"\r\n", b'"', b"\\", b"\\u", b"\\ud800", b"{", b"}", b"[", b"]", b","),
    *(b"NaN", b"Infinity", b"1e999", b"-0", b"9" * 400, b"null", b"0001-01-01T00:00:00Z", b"9999-12-31", b"[" * 2000),
    *(b"\x1f\x8b\x08", b"PAR1", b"\x28\xb5\x2f\xfd", b"\xf0\x9f\x98\x80", b"\xed\xa0\x80", b"a@b.co", b"\x0b\x1c\x85"),
)
SENTINEL = b'{"event_id":"sentinel","name":"sentinel","timestamp":"2024-05-01T12:00:00Z"}'


def seeds() -> list[bytes]:
    """Good rows: the example of every format, and some by hand."""
    rows = [json.dumps(table.example).encode() for table in FORMATS.values()]
    return [*rows, SENTINEL, b"name,timestamp,metadata", b'a,2024-05-01T12:00:00Z,"{""plan"": ""pro""}"', b"[1,2]", b""]


def broken(chance: random.Random, rows: list[bytes]) -> bytes:
    """A file of good rows, broken in a few places."""
    content = chance.choice((b"\n", b"\n", b",", b"\r\n")).join(chance.choices(rows, k=chance.randrange(1, 12)))
    if chance.random() < 0.2:
        content = b"[" + content + b"]"
    for _ in range(chance.randrange(8)):
        at, end = sorted(chance.randrange(len(content) + 1) for _ in range(2))
        content = chance.choice(
            (
                content[:at] + chance.choice(SPRINKLES) + content[at:],
                content[:at] + content[end:] if end - at < 200 else content[:at] + content[at + 1 :],
                content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :],
                content[:end] + content[at:end] * 2 + content[end:] if len(content) < 20_000 else content,
                content[:end],
            )
        )
    pack = chance.random()
    content = gzip.compress(content) if pack < 0.1 else zstd.compress(content) if pack < 0.2 else content
    return content[: chance.randrange(len(content) + 1)] if pack < 0.05 else content


def read_whole(name: str, content: bytes) -> tuple[int, int]:
    """Events and refused rows of an input; AssertionError where a row is neither."""
    events = refused = 0
    for block in read_blocks(io.BytesIO(content), name):
        parsed = parse_block(block, READING)
        lines = set(parsed.events["line_number"]) | set(parsed.rejected["line_number"])
        assert len(lines) == parsed.row_count, "a row is neither an event nor a refusal"
        assert not set(parsed.events["line_number"]) & set(parsed.rejected["line_number"]), "a row is both"
        events, refused = events + parsed.events.height, refused + parsed.rejected.height
    return events, refused


def sentinel_survives(chance: random.Random, content: bytes) -> None:
    """A good line among lines that are none is accepted; a file that begins with it is one of lines."""
    lines = SENTINEL + b"\n" + content.replace(b"\n[", b"\n") + b"\n" + SENTINEL + b"\n"
    found = 0
    for block in read_blocks(io.BytesIO(lines), chance.choice(("a.jsonl", "a.ndjson"))):
        found += int((parse_block(block, READING).events["event_name"] == "sentinel").sum())
    assert found >= 2, "a good line was lost"


def through_the_lake(name: str, content: bytes) -> None:
    """The account of the file holds."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(content)
        for _, rows, accepted, duplicate, rejected in counts(lake_of(Path(folder), [path])):
            assert rows == accepted + duplicate + rejected, "the account does not hold"


def inputs(seed: int, minutes: float) -> Iterator[tuple[int, random.Random, str, bytes]]:
    """Number, chance, name and content of inputs until the time is over."""
    end, rows, number = time.monotonic() + 60 * minutes, seeds(), 0
    while time.monotonic() < end:
        chance = random.Random(f"{seed}-{number}")
        yield number, chance, chance.choice(NAMES), broken(chance, rows)
        number += 1


def main() -> None:
    """Read, count, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    total = Counter[str]()
    for number, chance, name, content in inputs(options.seed, options.minutes):
        try:
            events, refused = read_whole(name, content)
            if content[:2] != b"\x1f\x8b" and not content.startswith((b"\x28\xb5\x2f\xfd", b"PAR1")):
                sentinel_survives(chance, content)
            if number % 50 == 0:
                through_the_lake(name, content)
                total["through the lake"] += 1
        except Exception:
            print(f"input {number} of seed {options.seed} ({name}): {content!r}")
            raise
        total.update({"inputs": 1, "bytes": len(content), "events": events, "refused rows": refused})
    print(", ".join(f"{count:,} {what}" for what, count in total.items()) + "; no crash, no row lost")


if __name__ == "__main__":
    main()

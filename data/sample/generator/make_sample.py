"""Writes the sample events of an invented assistant: the same seed, the same bytes."""

import argparse
import csv
import gzip
import io
import sys
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from random import Random

from dirt import spoil
from sessions import FIRST_DAY, GROWTH_STARTS, Row, clean_rows

SEED = 20260801


def file_bytes(rows: Sequence[Row]) -> bytes:
    """The content of a file of events."""
    return "".join(row.line() + "\n" for row in rows).encode()


def gzipped(content: bytes) -> bytes:
    """The content compressed, without the time or a file name."""
    buffer = io.BytesIO()
    with gzip.GzipFile(filename="", mode="wb", fileobj=buffer, mtime=0) as target:
        target.write(content)
    return buffer.getvalue()


def gold_table(rows: Sequence[Row]) -> str:
    """What was planted where, as CSV: a line for each event_id."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["event_id", "topic", "feedback_theme"])
    planted = {row.event["event_id"]: (row.topic, row.theme) for row in rows if row.raw is None}
    writer.writerows((event_id, *values) for event_id, values in planted.items())
    return buffer.getvalue()


def main() -> None:
    """Writes the two files of events, and what was planted in them where that is asked for."""
    parser = argparse.ArgumentParser(
        description="Write events-2026-08.jsonl and events-2026-09.jsonl.gz, the same bytes every time.",
        epilog="example: python data/sample/generator/make_sample.py --gold gold.csv",
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent, help="folder for the two files")
    parser.add_argument("--gold", type=Path, metavar="PATH", help="also write event_id,topic,feedback_theme as CSV")
    options = parser.parse_args()
    rng = Random(SEED)
    rows = spoil(rng, clean_rows(rng))
    split = FIRST_DAY + timedelta(days=GROWTH_STARTS)
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "events-2026-08.jsonl").write_bytes(file_bytes([row for row in rows if row.at < split]))
    september = gzipped(file_bytes([row for row in rows if row.at >= split]))
    (options.out / "events-2026-09.jsonl.gz").write_bytes(september)
    if options.gold:
        options.gold.write_text(gold_table(rows), encoding="utf-8")
    sys.stdout.write(f"{len(rows):,} lines written to {options.out}\n")


if __name__ == "__main__":
    main()

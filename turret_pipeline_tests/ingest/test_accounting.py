"""Any bytes, split into files anywhere: every row is counted once, and no valid row is lost."""

import gzip
import itertools
import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from turret_pipeline_tests.ingest.imports import build_lake, row, row_counts

GOOD = st.builds(
    lambda event_id, minutes, metadata: json.dumps(row(event_id, minutes, metadata=metadata)).encode(),
    st.sampled_from(["e1", "e2", "e3", None]),
    st.integers(0, 10_000),
    st.dictionaries(st.text(max_size=3), st.integers() | st.text(max_size=5) | st.none(), max_size=2),
)
HOSTILE = st.sampled_from(
    [
        b"",
        b"\x00",
        b"\xef\xbb\xbf",
        b"\r",
        b'{"name":',
        b'{"name": "a", "name": "b", "timestamp": 1}',
        b'{"name": "a", "timestamp": 1e999}',
        b'{"name": "a", "timestamp": 1, "metadata": {"number": 1e400, "text": "\\ud83d"}}',
        b'{"name": "a", "timestamp": 99999999999999999999999}',
        b'{"name": "a", "metadata": ' + b'{"a":' * 300 + b"1" + b"}" * 301,
        b"[" * 10_000,
        b"[1,",
        b"]",
        b'"open',
        b"name,timestamp",
        b"\x1f\x8b",
        b"PAR1",
        b"\x28\xb5\x2f\xfd",
        b"NaN",
        b'{"event": "x", "properties": {"time": "never"}}',
        b'{"prompt": "p", "generation": "g", "user_id": "u", "latency": 1e308}',
        b'{"messages": [{"role": "user", "content": "hi"}, 3]}',
    ]
)
LINES = st.lists(GOOD | HOSTILE | st.binary(max_size=20), max_size=8).map(b"\n".join)
NAMES = st.sampled_from(["a.jsonl", "b.json", "c.csv", "d.tsv", "e.parquet", "f.jsonl.gz", "g.jsonl.zst", "h.ndjson"])


def assert_row_counts_add_up(files: list[tuple[str, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root, paths = Path(folder), []
        for number, (name, content) in enumerate(files):
            paths.append(root / f"{number}-{name}")
            paths[-1].write_bytes(content)
        lake = build_lake(root, paths)
        found = row_counts(lake)
        assert len(found) == len({content for _, content in files})
        assert all(rows == accepted + duplicate + rejected for _, rows, accepted, duplicate, rejected in found)
        assert lake.read("rejected_events").height == sum(rejected for *_, rejected in found)
        events = lake.read("events")
        assert events["event_id"].n_unique() == events.height
        assert events["session_id"].null_count() == 0


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.lists(st.tuples(NAMES, LINES | st.binary(max_size=200) | LINES.map(gzip.compress)), max_size=4))
def test_row_counts_add_up_for_any_bytes(files: list[tuple[str, bytes]]) -> None:
    assert_row_counts_add_up(files)


@pytest.mark.slow
@settings(max_examples=12, deadline=None)
@given(LINES, st.lists(st.integers(0, 2000), max_size=4))
def test_row_counts_add_up_wherever_a_file_is_split(content: bytes, cuts: list[int]) -> None:
    edges = [0, *sorted(min(cut, len(content)) for cut in cuts), len(content)]
    assert_row_counts_add_up([("a.jsonl", content[begin:end]) for begin, end in itertools.pairwise(edges)])


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_valid_lines_are_accepted_between_noise(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    lines = []
    for number in range(60):
        lines.append(json.dumps(row(f"e{number}", number)).encode())
        noise = bytes(chance.randrange(256) for _ in range(chance.randrange(30)))
        lines.append(
            chance.choice([noise.replace(b"\n", b" "), b'{"name":', b"\x00\x00", b"[1,2", b"\xff\xfe", b'"x"'])
        )
    path = tmp_path / "a.jsonl"
    path.write_bytes(b"\n".join(lines))
    assert {f"e{number}" for number in range(60)} <= set(build_lake(tmp_path, [path]).read("events")["event_id"])

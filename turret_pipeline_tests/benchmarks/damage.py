"""Damage of every kind of file in a data folder: the next run publishes the same tables, or says what to do.

    python -m turret_pipeline_tests.benchmarks.damage [--data-dir FOLDER] [--kinds PATTERN] [--count 0]

The kinds are those of the files of a finished run, by default a small one made here. Of each kind one file is damaged
in several ways, each in a copy of the folder, and `turret run --full-refresh` follows. It must publish what it
publishes in an undamaged copy, or end with exit code 1 and sentences, without a traceback. `turret doctor` must then
find nothing, or name the file. Each damage takes a whole run: `--count` draws some of them at random.
"""

import argparse
import random
import re
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from turret_pipeline_tests.commands import conversations, published_tables, run_job, turret, write_events


def flip_bits(path: Path) -> None:
    """Change a byte in the middle."""
    content = bytearray(path.read_bytes())
    if content:
        content[len(content) // 2] ^= 0x40
    path.write_bytes(bytes(content))


def flip_many_bits(path: Path) -> None:
    """Change every hundredth byte."""
    content = bytearray(path.read_bytes())
    for at in range(min(50, len(content) // 3), len(content), 100):
        content[at] ^= 0xFF
    path.write_bytes(bytes(content))


def truncate(path: Path) -> None:
    """Keep the first half."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def empty(path: Path) -> None:
    """Keep nothing."""
    path.write_bytes(b"")


def replace_by_folder(path: Path) -> None:
    """Put an empty folder in its place."""
    path.unlink()
    path.mkdir()


def remove(path: Path) -> None:
    """Remove the file."""
    path.unlink()


DAMAGES: tuple[Callable[[Path], None], ...] = (flip_bits, flip_many_bits, truncate, empty, replace_by_folder, remove)


def kind_of(name: str) -> str:
    """The path of a file without ids, hashes, numbers and names of models."""
    if name.startswith("dbt/") and "manifest-" not in name:
        return f"dbt/*{Path(name).suffix}"
    name = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "*", name)
    name = re.sub(r"lake/(?!texts|topic_)\w+\.parquet", "lake/*.parquet", name)
    name = re.sub(r"embeddings/[^/]+", "embeddings/*", name)
    name = re.sub(r"figures/\w+", "figures/*", name)
    name = re.sub(r"compute_logs/\w+", "compute_logs/*", name)
    return re.sub(r"[0-9a-f]{12,}|\d{4,}", "*", name)


def list_kinds(folder: Path) -> dict[str, Path]:
    """The first file of each kind, relative to the folder."""
    kinds: dict[str, Path] = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = str(path.relative_to(folder))
            if path.stat().st_size == 0:
                continue
            kinds.setdefault(kind_of(name), Path(name))
    return kinds


def make_job(folder: Path) -> Path:
    """A finished run with its history on disk, and input outside the data folder."""
    write_events(folder / "input" / "a.jsonl", conversations())
    data = folder / "data"
    (data / "dagster").mkdir(parents=True)
    (data / "dagster" / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
    run_job(data, folder / "input")
    return data


def try_damage(data: Path, name: Path, harm: Callable[[Path], None], expected: dict[str, pl.DataFrame]) -> str:
    """The outcome of a run after the damage: same, said, or what went wrong."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "data"
        shutil.copytree(data, copy)
        before = (copy / name).read_bytes()
        harm(copy / name)
        if (copy / name).is_file() and (copy / name).read_bytes() == before:
            return "same"
        done = turret("run", "--full-refresh", "--input", data.parent / "input", "--data-dir", copy)
        output = done.stdout + done.stderr
        if "Traceback" in output or '.py", line' in output:
            return f"TRACEBACK {output.strip().splitlines()[-1][:150]}"
        if done.returncode:
            sentence = next((line for line in done.stderr.splitlines() if ": " in line and "(0 s)" not in line), "")
            return f"said: {sentence[:220]}" if done.returncode == 1 else f"EXIT {done.returncode} {sentence[:150]}"
        found = published_tables(copy)
        different = [table for table in expected if not found[table].equals(expected[table])]
        return f"DIFFERENT {different}" if different else "same"


def run_undamaged(data: Path) -> dict[str, pl.DataFrame]:
    """What a run publishes in an undamaged copy."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "data"
        shutil.copytree(data, copy)
        done = turret("run", "--full-refresh", "--input", data.parent / "input", "--data-dir", copy)
        assert done.returncode == 0, done.stderr
        return published_tables(copy)


def try_all(data: Path, pattern: str, count: int) -> Iterator[tuple[str, str, str]]:
    """Kind, damage and outcome, one after the other."""
    expected = run_undamaged(data)
    kinds = [(kind, name) for kind, name in list_kinds(data).items() if re.search(pattern, kind)]
    damages = [(kind, name, harm) for kind, name in kinds for harm in DAMAGES]
    print(f"{len(damages)} damages of {len(kinds)} kinds of files", flush=True)
    for kind, name, harm in random.Random(1).sample(damages, count) if 0 < count < len(damages) else damages:
        yield kind, harm.__name__, try_damage(data, name, harm, expected)


def main() -> None:
    """Damage all kinds of files, print what differs, and the counts."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, help="a finished run whose input is in the folder input beside it")
    parser.add_argument("--kinds", default="", help="only kinds that match this regular expression")
    parser.add_argument("--count", type=int, default=0, help="damages that are drawn at random; 0: all")
    arguments = parser.parse_args()
    started, outcomes = time.monotonic(), list[str]()
    with tempfile.TemporaryDirectory() as folder:
        data = arguments.data_dir or make_job(Path(folder))
        for kind, harm, outcome in try_all(data, arguments.kinds, arguments.count):
            outcomes.append(outcome)
            print(f"{kind:70} {harm:18} {outcome}", flush=True)
    same, said = (sum(outcome.startswith(begin) for outcome in outcomes) for begin in ("same", "said"))
    print(f"{len(outcomes)} damages: {same} same tables, {said} a sentence, {len(outcomes) - same - said} wrong")
    print(f"{time.monotonic() - started:.0f} s")
    if same + said < len(outcomes):
        raise SystemExit(1)


if __name__ == "__main__":
    main()

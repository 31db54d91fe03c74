"""The page docs/explanation/scaling.md: cores, GPUs, storage and money for many events a day, from measured rates.

`python -m turret_pipeline_tests.docs.scaling` writes it, and a test fails if it is out of date. Rates are read from the
tables of docs/measurements.md, so that a new measurement changes the page.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from turret_pipeline_tests.benchmarks.scale_events import EVENTS_PER_PROMPT
from turret_pipeline_tests.commands import PROJECT

MEASUREMENTS = PROJECT / "docs" / "measurements.md"
PAGE = PROJECT / "docs" / "explanation" / "scaling.md"
COMMAND = "python -m turret_pipeline_tests.docs.scaling"

MEASURED_EVENTS = 10_000_000
MERGE_EVENTS = 3_000_000
VOLUMES = {"10 million": 10**7, "1 billion": 10**9, "10 billion": 10**10}
DAYS_KEPT = (1, 30)
WINDOW_HOURS, MACHINE_GB = 6, 256
"""Assumptions: the time for a daily run, and the memory of one large machine."""
CORE_HOUR, GPU_HOUR, GB_MONTH = 0.05, 1.00, 0.023
"""Assumptions: dollars for an hour of a core and of a GPU, and for a gigabyte on an object store for a month."""

DISTINCT_SHARE = 0.07
"""Distinct prompts among prompts in the measured runs (benchmarks/scale.py)."""
CORE_TEXTS = (113, 384)
"""Texts per second of one core, all-MiniLM-L6-v2: in single precision, and in bfloat16 where the processor has it."""
GPU_TEXTS = (2_000, 14_200)
"""Texts per second of a GPU: not measured. The second is that of the sentence-transformers authors, on a V100."""

SHARDED = ("event_values", "texts", "exchanges", "signals")
"""Stages whose rows depend on one file, session or text only."""
ONCE = ("start of the process", "ingest", "embeddings")
"""Stages that do nothing again for events that an earlier run has read."""
ON_CLUSTER = ("ingest", "event_values", "embeddings", "exchanges")
"""Stages that give shards to a Ray cluster today."""
TOTALS = ("all", "all, seconds of the clock")


@dataclass(frozen=True)
class Stage:
    """Processor seconds of a stage for MEASURED_EVENTS, and how they grow: with events to the power of ``exponent``."""

    seconds: float
    exponent: float

    def seconds_for(self, events: float) -> float:
        """Processor seconds for so many events: proportional at least, although small exponents were measured."""
        return float(self.seconds * (events / MEASURED_EVENTS) ** max(self.exponent, 1.0))


@dataclass(frozen=True)
class Rates:
    """Measured rates: stages by name, cores that a run keeps busy, most memory, bytes stored by kind, and the merge.

    ``merge`` has the rows of the table of exchanges by the number of shards.
    """

    stages: Mapping[str, Stage]
    busy_cores: float
    gigabytes: float
    stored: Mapping[str, float]
    merge: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def sum_seconds(self, names: Iterable[str], events: float) -> float:
        """Processor seconds of some stages on one machine."""
        return sum(self.stages[name].seconds_for(events) for name in names)

    @property
    def whole(self) -> list[str]:
        """Stages that read the rows of all sessions and days, in one process: the slowest first."""
        names = [name for name in self.stages if name not in SHARDED + ONCE]
        return sorted(names, key=lambda name: -self.stages[name].seconds)

    def hours_of_merge(self, events: float) -> float:
        """Hours of the clock for the stages over all events, on one machine."""
        return self.sum_seconds(self.whole, events) / self.busy_cores / 3600

    def gigabytes_for(self, events: float) -> float:
        """Memory of the largest stage, if it grows with the events."""
        return self.gigabytes * events / MEASURED_EVENTS


def read_rates(text: str) -> Rates:
    """Rates in the tables of docs/measurements.md. Stages that were measured again have the later seconds."""
    first = _read_table(text, "| stage | 100,000 | 1,000,000 | 10,000,000 |")
    later = _read_table(text, "| stage, 10,000,000 events | processor s before | now |")
    parts = {name: cells for name, cells in first.items() if name not in TOTALS and not _is_run(name)}
    stages = {name: Stage(_number(cells[2]), _number(cells[3])) for name, cells in parts.items()}
    for group, cells in later.items():
        names = [name for name in group.split(", ") if name in stages]
        before = sum(stages[name].seconds for name in names)
        for name in names:
            stages[name] = replace(stages[name], seconds=stages[name].seconds * _number(cells[1]) / before)
    stored = {name: _number(cells[0]) for name, cells in _read_table(text, "| stored | bytes | per |").items()}
    busy_cores = _number(later["all"][1]) / _number(later["all, seconds of the clock"][1])
    return Rates(stages, busy_cores, _number(later["all"][3]) / 1000, stored, _read_table(text, "| shards | all, s |"))


def _is_run(name: str) -> bool:
    return name == "nothing new" or name.endswith(" more")


def _read_table(text: str, head: str) -> dict[str, list[str]]:
    """Cells of the rows of a table by their first cell. Raises ValueError if no table begins with the head."""
    found = re.search(rf"^{re.escape(head)}.*\n\|[-|: ]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    if not found:
        raise ValueError(f"docs/measurements.md has no table with the head {head}")
    rows = [[cell.strip() for cell in line[1:-1].split("|")] for line in found[1].splitlines()]
    return {cells[0]: cells[1:] for cells in rows}


def _number(cell: str) -> float:
    return float(cell.replace(",", ""))


def find_largest(fits: Callable[[float], bool]) -> float:
    """The largest number of events for which a condition holds that fails for more."""
    low, high = 1.0, 1e15
    while high / low > 1.001:
        middle = (low * high) ** 0.5
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


def build_page(rates: Rates) -> str:
    """Content of the page."""
    by_time = find_largest(lambda events: rates.hours_of_merge(events) <= WINDOW_HOURS)
    by_memory = find_largest(lambda events: rates.gigabytes_for(events) <= MACHINE_GB)
    values = {
        "tables": "\n".join(_build_table(rates, days) for days in DAYS_KEPT),
        "stages": _list_stages(rates),
        "merge": _list_merge(rates),
        "stored": ", ".join(f"{size:,.0f} for {name}" for name, size in rates.stored.items()),
        "largest": f"{_round(min(by_time, by_memory) / 1e6)} million",
        "by_time": f"{_round(by_time / 1e6)} million",
        "by_memory": f"{_round(by_memory / 1e6)} million",
        "busy_cores": f"{rates.busy_cores:.2f}",
        "new_texts": f"{100 * DISTINCT_SHARE / EVENTS_PER_PROMPT:.1f}",
        "distinct": f"{100 * DISTINCT_SHARE:.0f}",
        "all_new": f"{1 / DISTINCT_SHARE:.0f}",
    }
    constants = {name.lower(): value for name, value in globals().items() if isinstance(value, int | float)}
    notice = f"<!-- Generated by `{COMMAND}`. Do not edit. -->\n\n"
    return notice + TEXT.format(**constants, **values, core_texts=CORE_TEXTS, gpu_texts=GPU_TEXTS)


def _build_table(rates: Rates, days: int) -> str:
    columns = [_list_quantities(rates, volume, days) for volume in VOLUMES.values()]
    head = f"| tables of {days} day{'' if days == 1 else 's'} | {' | '.join(f'{name} a day' for name in VOLUMES)} |"
    rows = [f"| {name} | {' | '.join(column[name] for column in columns)} |" for name in columns[0]]
    return "\n".join([head, "|---" * (len(VOLUMES) + 1) + "|", *rows, ""])


def _list_quantities(rates: Rates, volume: int, days: int) -> dict[str, str]:
    """Quantities of a day with so many new events, whose tables hold the events of some days."""
    events = volume * days
    texts = volume * DISTINCT_SHARE / EVENTS_PER_PROMPT
    reading = rates.stages["ingest"].seconds * volume / MEASURED_EVENTS / 3600
    shards = sum(rates.stages[name].seconds for name in SHARDED) * events / MEASURED_EVENTS / 3600
    merge = rates.sum_seconds(rates.whole, events) / 3600
    on_cores, on_gpus = ([texts / rate / 3600 for rate in pair[::-1]] for pair in (CORE_TEXTS, GPU_TEXTS))
    per_event = sum(size for kind, size in rates.stored.items() if kind != "vectors of texts")
    gigabytes = (events * per_event + texts * days * rates.stored["vectors of texts"]) / 1e9
    return {
        "events in the tables": f"{events:,}",
        "read new events, core-hours": _round(reading),
        "embed new texts: core-hours, or": _range(on_cores),
        "GPU-hours (not measured)": _range(on_gpus),
        "stages by file, session or text, core-hours": _round(shards),
        "stages over all events, core-hours": _round(merge),
        "the same on one machine, hours of the clock": _round(rates.hours_of_merge(events)),
        "its memory, GB": _round(rates.gigabytes_for(events)),
        f"cores for all of it but the stages over all events, in {WINDOW_HOURS} hours": _range(
            [max((reading + shards + hours) / WINDOW_HOURS, 1) for hours in on_cores]
        ),
        f"GPUs for new texts in {WINDOW_HOURS} hours": _range([max(hours / WINDOW_HOURS, 1) for hours in on_gpus]),
        "stored, GB": _round(gigabytes),
        "dollars a day: reading and shards": _round((reading + shards) * CORE_HOUR),
        "… embedding on cores, or": _range([hours * CORE_HOUR for hours in on_cores]),
        "… embedding on GPUs": _range([hours * GPU_HOUR for hours in on_gpus]),
        "… stages over all events": _round(merge * CORE_HOUR),
        "… storage": _round(gigabytes * GB_MONTH / 30),
        "bottleneck": _name_bottleneck(rates, events),
    }


def _name_bottleneck(rates: Rates, events: int) -> str:
    hours, gigabytes = rates.hours_of_merge(events), rates.gigabytes_for(events)
    short = [f"time ({', '.join(rates.whole[:3])})"] if hours > WINDOW_HOURS else []
    short += ["memory"] if gigabytes > MACHINE_GB else []
    return f"one machine's {' and '.join(short)}" if short else "none: it fits one machine"


def _list_stages(rates: Rates) -> str:
    kinds = dict.fromkeys(SHARDED, "a file, session or text") | dict.fromkeys(ONCE, "new files or texts")
    rows = (
        f"| {name} | {stage.seconds:.1f} | {stage.exponent:.2f} | {kinds.get(name, 'all events')} | "
        f"{'yes' if name in ON_CLUSTER else ''} |"
        for name, stage in rates.stages.items()
    )
    head = "| stage | processor s | exponent | works on | shards on a cluster today |"
    return "\n".join([head, "|---" * 5 + "|", *rows])


def _list_merge(rates: Rates) -> str:
    rows = (f"| {shards} | {' | '.join(cells)} |" for shards, cells in rates.merge.items())
    return "\n".join(["| shards | all, s | merge, s | copy of the result by DuckDB, s |", "|---" * 4 + "|", *rows])


def _range(pair: list[float]) -> str:
    low, high = map(_round, pair)
    return low if low == high else f"{low} to {high}"


def _round(value: float) -> str:
    """Two significant digits: the rates are no better."""
    return f"{float(f'{value:.2g}'):,.0f}" if value >= 10 else f"{value:.2g}"


TEXT = """# Scaling

What 10 million, 1 billion and 10 billion events a day take: arithmetic from the rates in
[Measurements](../measurements.md). They were measured with up to {measured_events:,} events on two cores. All
figures for more events are extrapolated.

**In short.** Reading, embedding and all work by session can be split over machines, and cost little. One process on
one machine makes the tables over all events, with DuckDB and dbt, and from the beginning in each run. It is the
bottleneck beyond about **{largest} events in the tables**: {window_hours} hours end at about {by_time}, and
{machine_gb} GB of memory at about {by_memory}. That is not the number of events a day: 10 million a day, kept for
30 days, are 300 million.

## The table

For one run a day. Ranges are from fast to slow.

{tables}
## How it is computed

{stages}

- **Seconds** are those of the processor for {measured_events:,} events, of the latest measurement of each stage.
  Work on new files and texts is done once. All else is made again in each run, for all events that are kept. Of the
  ingest, about a third, the order of all events, is made again too, and is left out of that.
- **Shards.** What works on a file, session or text takes twice as long for twice as many events, on any number of
  machines. What works on all events grows with its exponent, which was measured from 1 to 10 million events, or in
  proportion if that is more. For 300 billion, this shows that it does not work, not how long it would take.
- **The clock.** A run kept {busy_cores} of two cores busy, beside other work. More cores would make dbt and DuckDB
  faster; by how much was not measured, so the table counts none.
- **Memory** grows in proportion, from the most that a run on {measured_events:,} events had.
- **New texts.** {new_texts} % of the events bring a text that no event had before, as in the simulation, where
  {distinct} % of the prompts are distinct. If each prompt is new, embedding takes {all_new} times as much.
- **Embedding**: {core_texts[0]} texts per second of a core in single precision, {core_texts[1]} in bfloat16. The
  cascade, which lets a student of the model read most texts, is left out. A GPU was **not measured**:
  {gpu_texts[1]:,} texts per second is what the authors of sentence-transformers state for short sentences,
  all-MiniLM-L6-v2 and a V100 ([table of
  models](https://www.sbert.net/docs/sentence_transformer/pretrained_models.html)). {gpu_texts[0]:,} is our guess
  for longer prompts and a GPU that has to wait for them.
- **Storage**: bytes per event, and per distinct text for vectors: {stored}. Events with longer texts take more. The
  input is not counted.
- **Prices** are assumptions: ${core_hour:.2f} for an hour of a core, ${gpu_hour:.2f} for an hour of a GPU,
  ${gb_month:.3f} for a gigabyte on an object store for a month. Network, disks of the machines and people are not
  counted.

## The bottleneck at each volume

- **10 million a day.** Two cores make the tables of one day. Those of 30 days need a machine with more than
  {machine_gb} GB of memory, or a shorter `retention_days`.
- **1 billion a day.** At the measured rate, the tables of a single day take longer than a day, and more than 1,000 GB
  of memory. Reading and sessions can be split, and need few cores.
- **10 billion a day.** The same, with ten times as many cores. They are affordable; the tables over all events are
  not possible in one process.

What has to change beyond {largest} events in the tables:

1. **Add instead of rebuilding.** A run makes the marts of new days, and of old days that got late rows. Today there
   are no partitions by day, for [reasons](../adr/0001-no-partitions-by-day.md) that this has to respect: a session
   crosses midnight, and a topic is found among the texts of all days.
2. **Merge sums instead of rows.** Transitions, days and signals are counts: each shard counts its sessions, and the
   merge adds the counts. Distinct users need shards by user or a sketch, and quantiles a sketch; betweenness is
   computed from the merged transitions.
3. **Publish more than one file.** The published DuckDB file has each event with its text. At these volumes it can
   only have the aggregates; the events stay in files, for example as [Iceberg tables](../how-to/iceberg.md).
4. **Assign texts to topics in shards.** Topics are found from a sample already (setting `topic_max_clustered`). The
   other texts can be assigned on any number of machines.

## The merge at 1,000 shards

The exchanges of {merge_events:,} simulated events, cut into more and more shards by the hash of their session, built on
two cores and merged by DuckDB (`python -m turret_pipeline_tests.benchmarks.shards merge`):

{merge}

The merge of 1,000 pieces costs little more than a copy of the result. What grows is the cost of each shard: it opens a
database of its own, and on a cluster it takes a few milliseconds for its way there and back. So shards should be as
large as memory allows, and only as many as the cluster needs. A merge of rows stays in proportion to the events: at 10
billion a day, point 2 above counts, sums instead of rows.

How to start a cluster, watch it, and what happens when it fails: [Run on a Ray cluster](../how-to/ray.md).
"""

if __name__ == "__main__":
    PAGE.write_text(build_page(read_rates(MEASUREMENTS.read_text(encoding="utf-8"))), encoding="utf-8")

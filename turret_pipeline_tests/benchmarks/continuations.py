"""Value of separating follow-ups from subjects, on dialogues with gold labels.

    python -m turret_pipeline_tests.benchmarks.continuations [--data DIR] [--cache DIR] [--draws N] [SET ...]

Topics are found in all turns of a set with the default settings. The table has a line per set: F1 of the changes of
subject in the sessions, with each topic mapped to the most frequent gold label of its turns that state a subject. The
first F1 counts the topic of every turn. The second leaves out topics that open a session less often than the average
turn. The third counts the subject that each follow-up continues. The last column is the share of the turns that state a
subject, but count as follow-ups. Without SET, all dialogue sets of the data folder are used.

With --draws, the columns have mean and range over N runs with another seed and noise of 1e-5 on the vectors, as another
processor gives.
"""

import argparse
import datetime as dt
import itertools
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.config.pipeline import Settings
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.tables import TEXTS
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.edits import SUBJECT
from turret_pipeline.topics.embedding.languages import add_languages
from turret_pipeline.topics.embedding.readers import VectorLookup
from turret_pipeline.topics.embedding.texts import collect_texts
from turret_pipeline.topics.follow_ups.continuations import find_subjects
from turret_pipeline.topics.follow_ups.roles import classify_roles
from turret_pipeline.topics.follow_ups.turns import Turns, collect_turns
from turret_pipeline.topics.lifecycle.plan import Plan, Run
from turret_pipeline.topics.lifecycle.state import TopicState, update_topic_state
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline_tests.benchmarks.gold_sets import DATA, read_lines
from turret_pipeline_tests.benchmarks.perturbations import NOISE, add_noise, describe_range
from turret_pipeline_tests.benchmarks.topics import CACHE, header, row
from turret_pipeline_tests.embedded_texts import embed_texts

SETS = {
    "sgd_dev": "domain",
    "multiwoz_dev": "subject",
    "dstc11_banking": "subject",
    "multidogo_dev": "subject",
    "star_dev": "subject",
}
"""Sets of sessions, each with the gold label that names its subjects."""

COLUMNS = (
    "set, turns, sessions, topics, follow-ups, F1 every turn, F1 by openings, F1 ours, precision, recall, "
    "stated subjects continued"
)
Sequences = Mapping[str, Sequence[str | None]]


@dataclass(frozen=True)
class Dialogues:
    """The turns of a set, and their sessions and gold rows by event; ``label`` is the gold column of the subject."""

    turns: Turns
    sessions: Mapping[str, str]
    gold: Mapping[str, Mapping[str, Any]]
    label: str


def load_dialogues(data: Path, name: str, cache: Path, draws: int) -> Iterator[Dialogues]:
    """A set with the topics of all its turns, in each of ``draws`` noisy runs, or once without noise if 0."""
    rows = [
        (event["event_id"], event["session_id"], event["timestamp"], event["metadata"].get("prompt"))
        for event in read_lines(data / "events" / f"{name}.jsonl.gz")
    ]
    events = pl.DataFrame(rows, ["event_id", "session_id", "event_at", "value"], orient="row")
    events = events.sort("event_at", maintain_order=True)
    values = events.filter(pl.col("value").is_not_null()).with_columns(pl.lit("prompt").alias("field")).lazy()
    event_texts, texts = collect_texts(values, ["prompt"])
    texts = add_languages(texts, TEXTS.empty())
    look_up = embed_texts(texts, cache / f"{name}-turns")
    gold = {row["event_id"]: row for row in read_lines(data / "gold" / f"{name}.jsonl.gz")}
    for draw in range(draws) if draws else [None]:
        text_topics = find_topics(texts, look_up, draw)
        turns = collect_turns("prompt", events, event_texts, text_topics)
        yield Dialogues(turns, dict(events.select("event_id", "session_id").iter_rows()), gold, SETS[name])


def find_topics(texts: pl.DataFrame, look_up: VectorLookup, draw: int | None) -> pl.DataFrame:
    """Table ``text_topics`` of a first run; the seed and the noise of the vectors are those of the draw, if any."""

    def look_up_noisy(text_ids: pl.Series, model: str) -> FloatArray:
        vectors = look_up(text_ids, model)
        return vectors if draw is None else add_noise(vectors, NOISE, draw)

    settings = Settings()
    seed = settings.seed if draw is None else draw
    options = TopicOptions(settings.topic_granularity, settings.topic_min_texts, floor=settings.topic_floor, seed=seed)
    run = Run("benchmark", dt.datetime(2024, 1, 1, tzinfo=dt.UTC))
    return update_topic_state(TopicState.empty(), texts, look_up_noisy, Plan(options), run).text_topics


def scores(found: Dialogues, subject: IntArray) -> tuple[float, float, float]:
    """F1, precision and recall of the changes of subject; ``subject`` is the subject of each turn."""
    gold, label = found.gold, found.label
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    for event_id, topic in zip(found.turns.event_id, found.turns.topic.tolist(), strict=True):
        gold_row = gold.get(event_id)
        if gold_row and gold_row["topical"] and gold_row[label] is not None and topic != NO_TOPIC:
            votes[topic][gold_row[label]] += 1
    names = {topic: counted.most_common(1)[0][0] for topic, counted in votes.items()}
    found_labels: dict[str, list[str | None]] = defaultdict(list)
    for event_id, topic in zip(found.turns.event_id, subject.tolist(), strict=True):
        found_labels[found.sessions[event_id]].append(names.get(topic))
    gold_labels: dict[str, list[str | None]] = defaultdict(list)
    for gold_row in sorted(gold.values(), key=lambda row: (row["session_id"], row["turn"])):
        gold_labels[gold_row["session_id"]].append(gold_row[label])
    expected, actual = count_changes(gold_labels), count_changes(found_labels)
    hits = sum((expected & actual).values())
    precision, recall = hits / max(actual.total(), 1), hits / max(expected.total(), 1)
    return 2 * precision * recall / max(precision + recall, 1e-9), precision, recall


def count_changes(sequences: Sequences) -> Counter[tuple[str, str, str]]:
    """Number of changes by session, label before and label after; turns without a label are skipped."""
    counted: Counter[tuple[str, str, str]] = Counter()
    for session, labels in sequences.items():
        known = [label for label in labels if label is not None]
        counted.update((session, one, other) for one, other in itertools.pairwise(known) if one != other)
    return counted


def without_rare_openers(turns: Turns) -> IntArray:
    """Topic of each turn, without topics that open a session less often than the average turn."""
    topical, count = turns.with_topic(), len(turns.topic_ids)
    is_first = topical.is_first()
    opened, turn_counts = (np.bincount(topic, minlength=count) for topic in (topical.topic[is_first], topical.topic))
    rare = np.append(opened / turn_counts < is_first.mean(), False)
    return np.where(rare[turns.topic], NO_TOPIC, turns.topic)


def with_continuations(turns: Turns) -> tuple[IntArray, int]:
    """Subject of each turn (its topic if it has none), and the number of follow-up topics."""
    decisions = classify_roles(turns, {})
    is_subject = np.array([decisions[topic_id].role == SUBJECT for topic_id in turns.topic_ids], dtype=np.bool_)
    subject = find_subjects(turns, is_subject)
    return np.where(subject == NO_TOPIC, turns.topic, subject), int((~is_subject).sum())


def stated_subjects_continued(found: Dialogues, subject: IntArray) -> float:
    """Share of the turns that state a subject by their gold label, but count as follow-ups of another one."""
    gold = [found.gold.get(event_id) for event_id in found.turns.event_id]
    is_stated = np.array([bool(row and row["topical"] and row[found.label] is not None) for row in gold])
    return float((subject != found.turns.topic)[is_stated].mean())


def measure(found: Dialogues) -> tuple[float, ...]:
    """The figures of a row of the table."""
    turns = found.turns
    subject, follow_up_count = with_continuations(turns)
    every, openings = scores(found, turns.topic)[0], scores(found, without_rare_openers(turns))[0]
    counts = (len(turns.topic), len(set(turns.session.tolist())), len(turns.topic_ids), follow_up_count)
    return (*counts, every, openings, *scores(found, subject), stated_subjects_continued(found, subject))


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SET", choices=[*SETS, []])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps vectors between runs")
    parser.add_argument("--draws", type=int, default=0, metavar="N", help="noisy runs for mean and range")
    options = parser.parse_args(arguments)
    print(header(COLUMNS))
    for name in options.names or SETS:
        found = load_dialogues(options.data, name, options.cache, options.draws)
        columns = list(zip(*map(measure, found), strict=True))
        cells = [values[0] if len(set(values)) == 1 else describe_range(values) for values in columns]
        print(row(name, *cells), flush=True)


if __name__ == "__main__":
    main()

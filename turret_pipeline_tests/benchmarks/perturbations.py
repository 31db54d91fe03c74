"""Topics under small changes of their input, compared with gold labels.

    python -m turret_pipeline_tests.benchmarks.perturbations [--data DIR] [--cache DIR] [--draws 10] [SET ...]

Without SET: all sets of the data folder with gold labels of texts. The first table has mean and range of the scores
over runs with another seed and noise of 1e-5 on the vectors, as another processor gives, and the mean adjusted Rand
index (ARI) of runs with the same seed, and noise of 1e-6 and 1e-4, with the run without noise. The second has random
halves of the texts and, of sets over 10,000 texts, tenths: the number of topics relative to all texts, ARI with their
topics, and AMI beside that of the single partition whose resolution the gold labels choose.
"""

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from sklearn.metrics import adjusted_rand_score

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.clustering.ensemble import partition
from turret_pipeline.topics.clustering.neighbours import find_graph_neighbours, neighbour_graph
from turret_pipeline.topics.clustering.resolution import RESOLUTIONS
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.near_duplicates import group_near_duplicates
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.grouped_update import update_topics_of_groups
from turret_pipeline_tests.benchmarks.gold_sets import DATA, GoldSet, load_set, load_vectors, score_topics, set_names
from turret_pipeline_tests.benchmarks.topics import CACHE, header, row

NOISE, LOW_NOISE, HIGH_NOISE = 1e-5, 1e-6, 1e-4
LARGE_SET = 10_000
SAMPLES = 3
SCORES = ("ami", "coverage", "topic_count", "recall", "precision")
NOISE_COLUMNS = "set, AMI, coverage, topics, out-of-scope recall, precision, ARI at 1e-6, ARI at 1e-4"
SAMPLE_COLUMNS = "set, share, topics relative to all texts, ARI of common texts, AMI, AMI with the best resolution"


def find_topics(gold: GoldSet, vectors: FloatArray, seed: int = 0) -> IntArray:
    """Topic of every text of a first run."""
    group = group_near_duplicates(gold.texts["text"].to_list(), vectors)
    unknown = np.full(len(vectors), NO_TOPIC)
    return update_topics_of_groups(vectors, group, unknown, 1, TopicOptions(seed=seed)).assignment.topic


def add_noise(vectors: FloatArray, scale: float, seed: int) -> FloatArray:
    return normalize_rows(vectors + np.random.default_rng(seed).normal(0, scale, vectors.shape).astype(np.float32))


def describe_range(values: Sequence[float | None]) -> str | None:
    """Mean and range of the values, None without any."""
    known = [value for value in values if value is not None]
    return f"{np.mean(known):.3f} ({min(known):.3f} to {max(known):.3f})" if known else None


def noise_row(gold: GoldSet, vectors: FloatArray, draws: int) -> str:
    """Row of the first table."""
    scores = [
        score_topics(gold, find_topics(gold, add_noise(vectors, NOISE, draw), seed=draw).tolist())
        for draw in range(draws)
    ]
    whole = find_topics(gold, vectors)
    agreement = [
        np.mean(
            [adjusted_rand_score(whole, find_topics(gold, add_noise(vectors, noise, draw))) for draw in range(draws)]
        )
        for noise in (LOW_NOISE, HIGH_NOISE)
    ]
    return row(gold.name, *(describe_range([getattr(score, name) for score in scores]) for name in SCORES), *agreement)


def sample_row(gold: GoldSet, vectors: FloatArray, share: float) -> str:
    """Row of the second table."""
    whole, ratios, agreement, scores, best = find_topics(gold, vectors), [], [], [], []
    for draw in range(SAMPLES):
        rows = np.sort(np.random.default_rng(draw).permutation(len(vectors))[: round(share * len(vectors))])
        part = select_texts(gold, rows)
        topic = find_topics(part, vectors[rows])
        both = (topic != NO_TOPIC) & (whole[rows] != NO_TOPIC)
        ratios.append(len(np.unique(topic)) / len(np.unique(whole)))
        agreement.append(float(adjusted_rand_score(topic[both], whole[rows][both])))
        scores.append(score_topics(part, topic.tolist()).ami)
        graph = neighbour_graph(find_graph_neighbours(vectors[rows]))
        best.append(max(score_topics(part, partition(graph, each, draw).tolist()).ami for each in RESOLUTIONS[::2]))
    return row(gold.name, f"{share:.0%}", *(describe_range(values) for values in (ratios, agreement, scores, best)))


def select_texts(gold: GoldSet, rows: IntArray) -> GoldSet:
    """The set with some of its texts, and their events."""
    position = pl.DataFrame({"text_row": rows, "new_row": np.arange(len(rows))}).cast(
        {"text_row": gold.events.schema["text_row"], "new_row": gold.events.schema["text_row"]}
    )
    events = gold.events.join(position, on="text_row").select(
        pl.col("new_row").alias("text_row"), "label", "out_of_scope"
    )
    return replace(gold, texts=gold.texts[rows.tolist()], events=events)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps vectors between runs")
    parser.add_argument("--draws", type=int, default=10)
    options = parser.parse_args()
    sets = [load_set(options.data, name) for name in options.sets or set_names(options.data)]
    print(header(NOISE_COLUMNS))
    for gold in sets:
        print(noise_row(gold, load_vectors(gold, options.cache), options.draws), flush=True)
    print(f"\n{header(SAMPLE_COLUMNS)}")
    for gold in sets:
        vectors = load_vectors(gold, options.cache)
        for share in (0.5, *((0.1,) if len(vectors) > LARGE_SET else ())):
            print(sample_row(gold, vectors, share), flush=True)


if __name__ == "__main__":
    main()

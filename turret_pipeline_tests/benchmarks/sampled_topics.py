"""Topics from a sample of the texts beside topics from all of them: agreement with each other and with gold labels.

    python -m turret_pipeline_tests.benchmarks.sampled_topics [--data ../shared/data] [--cache FOLDER] [SET ...]

For each set, topics are found from all texts, and from samples of a half, a quarter and a tenth of them, after which
the other texts are assigned. Printed are the adjusted mutual information (AMI) between the two, the share of texts with
the matching topic (topics paired by the Hungarian method), the AMI of both with the gold labels, the share of texts
with a topic, the number of topics, and processor seconds. Another seed of the full fit stands beside them: what chance
changes.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.metrics import adjusted_mutual_info_score

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.near_duplicates import group_near_duplicates
from turret_pipeline.topics.options import TopicOptions
from turret_pipeline.topics.tracking.grouped_update import update_topics_of_groups
from turret_pipeline_tests.benchmarks.gold_sets import DATA, GoldSet, load_set, load_vectors, score_topics
from turret_pipeline_tests.benchmarks.topics import CACHE

SETS = ("clinc150", "banking77", "stackoverflow", "llm_oasst")
SHARES = (0.5, 0.25, 0.1)
COLUMNS = ("set", "fit", "AMI with all", "same topic", "AMI with gold", "coverage", "topics", "processor s")


def share_of_same_topic(one: IntArray, other: IntArray) -> float:
    """Share of texts whose topics match, if those of ``other`` are renamed to agree as much as possible."""
    names, rows = np.unique(one, return_inverse=True)
    others, columns = np.unique(other, return_inverse=True)
    counts = np.zeros((len(names), len(others)))
    np.add.at(counts, (rows, columns), 1)
    none, other_none = names == NO_TOPIC, others == NO_TOPIC
    both_without = counts[np.ix_(none, other_none)].sum()
    with_topic = counts[np.ix_(~none, ~other_none)]
    matched = with_topic[linear_sum_assignment(-with_topic)].sum()
    return float((matched + both_without) / max(len(one), 1))


def find(vectors: FloatArray, group: IntArray, options: TopicOptions) -> tuple[IntArray, float]:
    """Topics from scratch, and processor seconds."""
    started = time.process_time()
    found = update_topics_of_groups(vectors, group, np.full(len(vectors), NO_TOPIC), 1, options)
    return found.assignment.topic, time.process_time() - started


def measure_set(gold: GoldSet, vectors: FloatArray) -> None:
    """Print the rows of a set."""
    texts = gold.texts["text"].to_list()
    group = group_near_duplicates(texts, vectors)
    count = int(group.max()) + 1
    fits = {"all": TopicOptions(), "all, another seed": TopicOptions(seed=1)}
    fits |= {f"{share:.0%} of {count:,}": TopicOptions(max_clustered=round(share * count)) for share in SHARES}
    whole: IntArray | None = None
    for name, options in fits.items():
        topic, seconds = find(vectors, group, options)
        whole = topic if whole is None else whole
        score = score_topics(gold, topic.tolist())
        values = [adjusted_mutual_info_score(whole, topic), share_of_same_topic(whole, topic), score.ami]
        numbers = [f"{value:.3f}" for value in (*values, float(np.mean(topic != NO_TOPIC)))]
        topics = len(np.unique(topic[topic != NO_TOPIC]))
        print(f"| {gold.name} | {name} | {' | '.join(numbers)} | {topics} | {seconds:.0f} |", flush=True)


def main() -> None:
    """Print a table with the rows of all sets."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="SET", default=SETS)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE)
    options = parser.parse_args()
    print(f"| {' | '.join(COLUMNS)} |\n" + "|---" * len(COLUMNS) + "|")
    for name in options.names:
        gold = load_set(options.data, name)
        measure_set(gold, load_vectors(gold, options.cache))


if __name__ == "__main__":
    main()

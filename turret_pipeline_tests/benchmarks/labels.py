"""Labels of the topics of public sets: does the label of a topic fit its texts better than all other labels?

    python -m turret_pipeline_tests.benchmarks.labels [--data DIR] [--cache DIR] [--page FILE] [SET ...]

Without SET: all sets of the data folder with gold labels of texts. Half of the texts of each topic choose its label,
the others judge: the share of them whose vector is nearest to the label of their own topic (top-1), of the keyword
labels and of the labels that pieces of texts may replace. Grammar is not measured: ``--page`` writes the labels of the
largest topics with example texts, for a person to judge.
"""

import argparse
import functools
from pathlib import Path

import numpy as np

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC
from turret_pipeline.topics.embedding.embedding import Embedder, normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH
from turret_pipeline.topics.embedding.readers import reads_language
from turret_pipeline.topics.labels.labels import label_topics
from turret_pipeline_tests.benchmarks.gold_sets import DATA, load_set, load_vectors, set_names
from turret_pipeline_tests.benchmarks.perturbations import find_topics
from turret_pipeline_tests.benchmarks.topics import CACHE, header, row

COLUMNS = "set, topics, top-1 of keyword labels, top-1 of labels"
SHOWN_TOPICS, SHOWN_TEXTS = 40, 3


def halve_topics(topic: IntArray, seed: int = 0) -> tuple[IntArray, IntArray]:
    """The topics of two halves of the texts, NO_TOPIC for texts of the other half."""
    draw = np.random.default_rng(seed)
    choosing, judging = np.full_like(topic, NO_TOPIC), np.full_like(topic, NO_TOPIC)
    for number in range(int(topic.max(initial=NO_TOPIC)) + 1):
        members = draw.permutation(np.flatnonzero(topic == number))
        half = (len(members) + 1) // 2
        choosing[members[:half]] = number
        judging[members[half:]] = number
    return choosing, judging


def score_labels(labels: list[str], vectors: FloatArray, judging: IntArray, embed: Embedder) -> float:
    """Share of the judging texts whose vector is nearest to the label of their own topic."""
    label_vectors = normalize_rows(np.asarray(embed(labels), dtype=np.float32))
    is_judge = judging != NO_TOPIC
    nearest = (vectors[is_judge] @ label_vectors.T).argmax(axis=1)
    return float((nearest == judging[is_judge]).mean())


def number_topics(topic: IntArray) -> IntArray:
    """The topics numbered from 0, the largest first."""
    numbers, counts = np.unique(topic[topic != NO_TOPIC], return_counts=True)
    order = numbers[np.argsort(-counts, kind="stable")].tolist()
    position = {number: at for at, number in enumerate(order)}
    return np.array([position.get(number, NO_TOPIC) for number in topic.tolist()], dtype=np.int64)


def describe_labels(name: str, texts: list[str], topic: IntArray, keyword: list[str], labels: list[str]) -> list[str]:
    """Markdown lines with the labels of the largest topics and some of their texts."""
    lines = [f"## {name}", "", "| texts | keyword label | label | examples |", "|---|---|---|---|"]
    for number in range(min(SHOWN_TOPICS, len(labels))):
        members = np.random.default_rng(number).permutation(np.flatnonzero(topic == number))
        shown = " / ".join(" ".join(texts[at].split())[:80].replace("|", " ") for at in members[:SHOWN_TEXTS])
        lines.append(f"| {len(members)} | {keyword[number]} | {labels[number]} | {shown} |")
    return [*lines, ""]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET")
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder that keeps vectors between runs")
    parser.add_argument("--page", type=Path, help="Markdown file to write labels and examples to")
    options = parser.parse_args()
    embed, page = load_embedder(ENGLISH, "auto"), list[str]()
    print(header(COLUMNS))
    for gold in [load_set(options.data, name) for name in options.sets or set_names(options.data)]:
        vectors, texts = load_vectors(gold, options.cache), gold.texts["text"].to_list()
        topic = number_topics(find_topics(gold, vectors))
        count = int(topic.max(initial=NO_TOPIC)) + 1
        languages = gold.texts["language"].to_list()
        reads = functools.partial(reads_language, ENGLISH)
        choosing, judging = halve_topics(topic)
        scores = []
        for model in (None, embed):
            names = label_topics(
                texts, choosing, count, vectors=vectors, embed=model, languages=languages, reads_language=reads
            )
            scores.append(score_labels([name.label for name in names], vectors, judging, embed))
        print(row(gold.name, count, *scores), flush=True)
        if options.page:
            keyword, labels = (
                [
                    name.label
                    for name in label_topics(
                        texts, topic, count, vectors=vectors, embed=model, languages=languages, reads_language=reads
                    )
                ]
                for model in (None, embed)
            )
            page += describe_labels(gold.name, texts, topic, keyword, labels)
    if options.page:
        options.page.write_text("\n".join(page), "utf-8")


if __name__ == "__main__":
    main()

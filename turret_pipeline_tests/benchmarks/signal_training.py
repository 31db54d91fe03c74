"""Weights of the classes of answers and prompts, fitted to written examples, and their accuracy on held-back ones.

    python -m turret_pipeline_tests.benchmarks.signal_training [--fit] [--cases]

The examples in signal_examples/ were written for this project in seven languages, by several authors; the files whose
name ends with held_back are only for measurement. held_back.jsonl is by an author of its own, who saw no others. Half
of it is unusual on purpose: refusals without the usual words, stories in which someone refuses, answers that apologize
and then help. llm_answers_held_back.jsonl imitates LLMs: long refusals with a reason and alternatives, partial ones,
and help that sounds like them; task_prompts_held_back.jsonl has replies to assistants for bookings and accounts. The
author of these two wrote examples of the same kinds for the fit as well. ``--fit`` writes
turret_pipeline/signals/weights.npz from all other files. ``--cases`` counts what is found by case.
"""

import argparse
import functools
import json
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.signals import classifier
from turret_pipeline.signals.classifier import ANSWER, CLASSES, FORMS_ONLY, MODELS, NEITHER, PROMPT, Classifier
from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.tables.signals import CORRECTED, DECLINED, UNANSWERED
from turret_pipeline.topics.embedding.embedding import Embedder, normalize_rows
from turret_pipeline.topics.embedding.model_names import ENGLISH

EXAMPLES = Path(__file__).parent / "signal_examples"
HELD_BACK = "held_back"
"""End of the names of files that are only for measurement."""

PARTIAL = "partial"
"""Case of refusals that help with a part, or in another way. They count apart: people disagree on them."""

EXAMPLE = pl.Schema(dict.fromkeys(("file", "language", "kind", "class", "case", "text"), pl.String()))
WEIGHTS = Path(str(classifier.__file__)).parent / "weights.npz"
REGULARIZATION = 1.0
PRIORS = {DECLINED: 0.1, UNANSWERED: 0.15, CORRECTED: 0.1}
"""Shares that are expected in logs: the examples have far more of each, so the intercepts are moved (Saerens, Latinne
and Decaestecker, 2002)."""


def read_examples(*, is_held_back: bool) -> pl.DataFrame:
    """Columns file, language, kind, class, case and text. Only some files have cases."""
    paths = [path for path in sorted(EXAMPLES.glob("*.jsonl")) if path.stem.endswith(HELD_BACK) == is_held_back]
    rows = [{"file": path.stem} | json.loads(line) for path in paths for line in path.read_text().splitlines()]
    return pl.DataFrame(rows, EXAMPLE).unique("text", maintain_order=True)


@functools.cache
def _embedder(model: str) -> Embedder:
    return load_embedder(model, "cpu")


def embed(examples: pl.DataFrame, model: str) -> FloatArray | None:
    """Unit vectors of the examples by a model; None for FORMS_ONLY."""
    return None if model == FORMS_ONLY else normalize_rows(_embedder(model)(examples["text"].to_list()))


def select_readable(examples: pl.DataFrame, kind: str, model: str) -> pl.DataFrame:
    """The examples of a kind that a model reads: the English one reads only English."""
    of_kind = examples.filter(kind=kind)
    return of_kind.filter(language="en") if model == ENGLISH else of_kind


def fit(kind: str, model: str, examples: pl.DataFrame) -> Classifier:
    """A classifier of the kind for the vectors of the model."""
    from sklearn.linear_model import LogisticRegression

    rows = select_readable(examples, kind, model)
    features = classifier.list_features(kind, rows["text"], embed(rows, model))
    fitted = LogisticRegression(C=REGULARIZATION, max_iter=5000).fit(features, rows["class"].to_numpy())
    assert tuple(fitted.classes_) == CLASSES[kind]
    coefficients, intercepts = fitted.coef_, fitted.intercept_
    if len(CLASSES[kind]) == 2:  # scikit-learn has one row for the second of two classes
        coefficients, intercepts = (
            np.vstack([-coefficients, coefficients]) / 2,
            np.hstack([-intercepts, intercepts]) / 2,
        )
    shares = np.array([(rows["class"] == name).sum() / rows.height for name in CLASSES[kind]])
    priors = np.array([PRIORS.get(name, 0.0) for name in CLASSES[kind]])
    priors[CLASSES[kind].index(NEITHER)] = 1 - priors.sum()
    intercepts = intercepts + np.log(priors / shares)
    return Classifier(kind, coefficients.astype(np.float32), intercepts.astype(np.float32))


def predict(kind: str, model: str, found: Classifier, rows: pl.DataFrame) -> pl.Series:
    """The most probable class of each row."""
    best = found.classify(rows["text"], embed(rows, model)).argmax(axis=1)
    return pl.Series([CLASSES[kind][at] for at in best], dtype=pl.String)


def count_cases(model: str, examples: pl.DataFrame) -> None:
    """Print the number of answers that count as refusals, by case."""
    rows = select_readable(examples, ANSWER, model).drop_nulls("case")
    predicted = predict(ANSWER, model, classifier.load_classifier(ANSWER, model), rows)
    language = pl.when(language="en").then(pl.lit("en")).otherwise(pl.lit("other")).alias("language")
    found = rows.with_columns(language, declined=predicted == DECLINED)
    counts = found.group_by("language", "class", "case").agg(pl.len(), pl.sum("declined")).sort(pl.all())
    for row in counts.iter_rows():
        print(f"| {model} | {' | '.join(map(str, row))} |")


def measure(kind: str, model: str, found: Classifier, examples: pl.DataFrame) -> None:
    """Print precision, recall and F1 by class, for English and for the other languages."""
    for group in ("en", "other"):
        is_english = pl.col("language") == "en"
        rows = select_readable(examples, kind, model).filter(is_english if group == "en" else ~is_english)
        if rows.is_empty():
            continue
        predicted = predict(kind, model, found, rows)
        for name in CLASSES[kind]:
            if name != NEITHER and name in rows["class"]:
                right = rows["class"] == name
                hits = int((right & (predicted == name)).sum())
                precision, recall = hits / max(int((predicted == name).sum()), 1), hits / int(right.sum())
                f1 = 2 * precision * recall / max(precision + recall, 1e-9)
                figures = f"{rows.height} | {precision:.2f} | {recall:.2f} | {f1:.2f}"
                print(f"| {rows['file'][0]} | {name} | {model} | {group} | {figures} |")


def main() -> None:
    """Fit if asked to, then measure on the held-back examples."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--cases", action="store_true")
    options: Any = parser.parse_args()
    if options.fit:
        examples = read_examples(is_held_back=False)
        weights = {}
        for kind in (ANSWER, PROMPT):
            for model in (*MODELS, FORMS_ONLY):
                fitted = fit(kind, model, examples)
                weights[f"{kind} {model} coefficients"] = fitted.coefficients
                weights[f"{kind} {model} intercepts"] = fitted.intercepts
        np.savez_compressed(WEIGHTS, allow_pickle=False, **weights)
        print(f"Fitted to {examples.height:,} examples.")
    held_back = read_examples(is_held_back=True)
    print(
        "| file | class | vectors | language | examples | precision | recall | F1 |\n|---|---|---|---|---|---|---|---|"
    )
    for kind in (ANSWER, PROMPT):
        whole = held_back.filter(pl.col("case").ne_missing(PARTIAL), kind=kind)
        for examples in whole.partition_by("file", maintain_order=True):
            for model in (*MODELS, FORMS_ONLY):
                measure(kind, model, classifier.load_classifier(kind, model), examples)
    if options.cases:
        print("| vectors | language | class | case | answers | declined |\n|---|---|---|---|---|---|")
        for model in (*MODELS, FORMS_ONLY):
            count_cases(model, held_back)


if __name__ == "__main__":
    main()

"""How well the multilingual model reads each language: cosines of translated requests to their English originals.

``python -m turret_pipeline_tests.benchmarks.languages`` prints the mean over the requests in languages.json for each
language, and the mean cosine to the other requests. ``MULTILINGUAL_READING`` holds the rounded means.
"""

import json
from pathlib import Path

import numpy as np

from turret_pipeline.models.embedder import load_embedder
from turret_pipeline.topics.embedding.embedding import normalize_rows
from turret_pipeline.topics.embedding.model_names import MULTILINGUAL
from turret_pipeline.topics.embedding.readers import MULTILINGUAL_READING

REQUESTS: dict[str, list[str]] = json.loads(Path(__file__).with_suffix(".json").read_text(encoding="utf-8"))
"""The same requests in each language."""


def main() -> None:
    """Print a row per language, the best read first."""
    embed = load_embedder(MULTILINGUAL, "auto")
    english = normalize_rows(embed(REQUESTS["en"]))
    found = {language: normalize_rows(embed(texts)) @ english.T for language, texts in REQUESTS.items()}
    print("language  translation  other requests  stored")
    for language, cosines in sorted(found.items(), key=lambda item: -np.trace(item[1])):
        own, others = np.trace(cosines) / len(english), cosines[~np.eye(len(english), dtype=bool)].mean()
        print(f"{language:<8}  {own:>11.2f}  {others:>14.2f}  {MULTILINGUAL_READING.get(language, 0):>6.2f}")


if __name__ == "__main__":
    main()

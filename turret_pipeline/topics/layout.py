"""The map of topics: a place in the plane for each, near those of like meaning, that it keeps from run to run."""

import warnings

import numpy as np

from turret_pipeline.topics.arrays import FloatArray
from turret_pipeline.topics.neighbours import nearest

FEW_TOPICS = 8
NEAR, STEP = 3, 0.05
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def lay_out(centres: FloatArray, known: FloatArray, seed: int) -> FloatArray:
    """Places of topics, shape (topics, 2), in the square from -1 to 1; ``centres`` are their unit centroids.

    ``known`` has the places of before, not a number for new topics. A topic that has a place keeps it; a new one is put
    beside the NEAR most similar that have one, by their mean. Where none has a place the map is drawn anew.
    """
    places = known.astype(np.float64).copy()
    new = np.flatnonzero(np.isnan(places).any(axis=1))
    old = np.setdiff1d(np.arange(len(places)), new)
    if len(new) == 0:
        return places
    if len(old) == 0:
        return _drawn(centres, seed)
    found = nearest(centres[new], centres[old], NEAR)
    weights = found.similarities.clip(1e-3).astype(np.float64) ** 4
    means = (places[old][found.indices] * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    turns = GOLDEN_ANGLE * np.arange(1, len(new) + 1)  # beside, not on top of each other
    places[new] = means + STEP * np.column_stack([np.cos(turns), np.sin(turns)])
    return np.round(places.clip(-1, 1), 6)


def _drawn(centres: FloatArray, seed: int) -> FloatArray:
    """t-SNE (van der Maaten, Hinton 2008) of the centroids; principal axes where there are too few for it."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(centres)
    if count == 1:
        return np.zeros((1, 2))
    if count <= FEW_TOPICS:
        drawn = PCA(n_components=min(2, count - 1), random_state=seed).fit_transform(centres.astype(np.float64))
        drawn = np.column_stack([drawn, np.zeros((count, 2 - drawn.shape[1]))])
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            tsne = TSNE(
                perplexity=min(12, (count - 1) / 3),
                metric="cosine",
                init="random" if count < 3 else "pca",
                method="exact" if count <= 1000 else "barnes_hut",
                random_state=seed,
            )
            drawn = tsne.fit_transform(centres.astype(np.float64))
    drawn = drawn - (drawn.max(axis=0) + drawn.min(axis=0)) / 2
    return np.asarray(np.round(drawn / max(np.abs(drawn).max(), 1e-9), 6))

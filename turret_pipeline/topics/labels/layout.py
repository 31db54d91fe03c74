"""The map of topics: a place in the plane for each, near those of like meaning, that it keeps from run to run."""

import warnings

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.neighbours import find_nearest

FEW_TOPICS, TSNE_ROUNDS = 8, 500
NEAR, STEP, GAP, SPOTS = 3, 0.03, 0.04, 200
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def lay_out(centres: FloatArray, known: FloatArray, seed: int) -> FloatArray:
    """Places of topics, shape (topics, 2), in the square from -1 to 1; ``centres`` are their unit centroids.

    ``known`` has the places of before, not a number for new topics. A topic that has a place keeps it; a new one is put
    beside the NEAR most similar that have one, by their mean, and GAP or more from every other
    topic where there is room. Where none has a place the map is drawn anew.
    """
    places = known.astype(np.float64).copy()
    new = np.flatnonzero(np.isnan(places).any(axis=1))
    old = np.setdiff1d(np.arange(len(places)), new)
    if len(new) == 0:
        return places
    if len(old) == 0:
        return _drawn(centres, seed)
    found = find_nearest(centres[new], centres[old], NEAR)
    weights = found.similarities.clip(1e-3).astype(np.float64) ** 4
    means = (places[old][found.indices] * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    placed = list(old)
    for topic, mean in zip(new, means, strict=True):
        places[topic] = _free_spot(mean, places[placed])
        placed.append(topic)
    return places


def _free_spot(mean: FloatArray, taken: FloatArray) -> FloatArray:
    """The first spot on a spiral of even density (Vogel 1979) around ``mean`` that is far enough from those taken."""
    steps = np.arange(1, SPOTS + 1)
    turns, radii = GOLDEN_ANGLE * steps, STEP * np.sqrt(steps)
    spots = (mean + np.column_stack([np.cos(turns), np.sin(turns)]) * radii[:, None]).clip(-1, 1).round(6)
    room = np.sqrt(((spots[:, None] - taken) ** 2).sum(axis=2)).min(axis=1)
    return np.asarray(spots[np.argmax(room >= GAP) if room.max() >= GAP else room.argmax()])


def _drawn(centres: FloatArray, seed: int) -> FloatArray:
    """t-SNE (van der Maaten, Hinton 2008) of the centroids; principal axes where there are too few for it."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(centres)
    if count == 1:
        return np.zeros((1, 2))
    if count <= FEW_TOPICS:
        with np.errstate(invalid="ignore"):  # of topics that say the same there is no variance to explain
            drawn = PCA(n_components=min(2, count - 1), random_state=seed).fit_transform(centres.astype(np.float64))
        drawn = np.column_stack([drawn, np.zeros((count, 2 - drawn.shape[1]))])
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            tsne = TSNE(
                perplexity=min(12, (count - 1) / 3),
                metric="cosine",
                init="pca",
                method="exact" if count <= 1000 else "barnes_hut",
                max_iter=TSNE_ROUNDS,
                random_state=seed,
            )
            drawn = tsne.fit_transform(centres.astype(np.float64))
    drawn = drawn - (drawn.max(axis=0) + drawn.min(axis=0)) / 2
    return np.asarray(np.round(drawn / max(np.abs(drawn).max(), 1e-9), 6))

"""Map of topics: a position in the plane for each, near similar topics, and the same in every run."""

import warnings

import numpy as np

from turret_pipeline.stats.array_types import FloatArray
from turret_pipeline.topics.clustering.neighbours import find_nearest

FEW_TOPICS = 8
NEIGHBOURS, STEP, MIN_GAP, SPOTS = 3, 0.03, 0.04, 200
GOLDEN_ANGLE = np.pi * (3 - 5**0.5)


def lay_out_topics(topic_centroids: FloatArray, known: FloatArray, seed: int) -> FloatArray:
    """Positions of topics, shape (topics, 2), in the square from -1 to 1; ``topic_centroids`` have length 1.

    ``known`` has the previous positions, nan for new topics. A topic keeps its position. A new topic is placed near the
    weighted mean of the NEIGHBOURS most similar known topics, and at least MIN_GAP from every other topic if there is
    space. If no topic has a position, all are laid out with t-SNE.
    """
    positions = known.astype(np.float64).copy()
    new = np.flatnonzero(np.isnan(positions).any(axis=1))
    old = np.setdiff1d(np.arange(len(positions)), new)
    if len(new) == 0:
        return positions
    if len(old) == 0:
        return _project(topic_centroids, seed)
    found = find_nearest(topic_centroids[new], topic_centroids[old], NEIGHBOURS)
    weights = found.similarities.clip(1e-3).astype(np.float64) ** 4
    means = (positions[old][found.indices] * weights[:, :, None]).sum(axis=1) / weights.sum(axis=1, keepdims=True)
    placed = list(old)
    for topic, mean in zip(new, means, strict=True):
        positions[topic] = _free_spot(mean, positions[placed])
        placed.append(topic)
    return positions


def _free_spot(mean: FloatArray, taken: FloatArray) -> FloatArray:
    """First point on a spiral of even density (Vogel 1979) around ``mean`` that is far enough from those taken."""
    steps = np.arange(1, SPOTS + 1)
    turns, radii = GOLDEN_ANGLE * steps, STEP * np.sqrt(steps)
    spots = (mean + np.column_stack([np.cos(turns), np.sin(turns)]) * radii[:, None]).clip(-1, 1).round(6)
    distance = np.sqrt(((spots[:, None] - taken) ** 2).sum(axis=2)).min(axis=1)
    return np.asarray(spots[np.argmax(distance >= MIN_GAP) if distance.max() >= MIN_GAP else distance.argmax()])


def _project(topic_centroids: FloatArray, seed: int) -> FloatArray:
    """Projection to the square by t-SNE (van der Maaten, Hinton 2008), or by PCA for few topics."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    count = len(topic_centroids)
    if count == 1:
        return np.zeros((1, 2))
    if count <= FEW_TOPICS:
        with np.errstate(invalid="ignore"):  # equal centroids have no variance to explain
            pca = PCA(n_components=min(2, count - 1), random_state=seed)
            projected = pca.fit_transform(topic_centroids.astype(np.float64))
        projected = np.column_stack([projected, np.zeros((count, 2 - projected.shape[1]))])
    else:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            tsne = TSNE(
                perplexity=min(12, (count - 1) / 3),
                metric="cosine",
                init="pca",
                method="exact" if count <= 1000 else "barnes_hut",
                random_state=seed,
            )
            projected = tsne.fit_transform(topic_centroids.astype(np.float64))
    projected = projected - (projected.max(axis=0) + projected.min(axis=0)) / 2
    return np.asarray(np.round(projected / max(np.abs(projected).max(), 1e-9), 6))

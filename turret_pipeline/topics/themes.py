"""Themes: groups of similar topics."""

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, louvain, renumber_by_size
from turret_pipeline.topics.clustering.ensemble import draw_order
from turret_pipeline.topics.clustering.neighbours import find_nearest, find_nearest_others, neighbour_graph

RESOLUTIONS = (1.0, 1.4, 0.7, 2.0, 0.5, 2.8, 4.0)
"""Resolutions of Louvain for themes, the preferred one first."""

MIN_TOPICS, MAX_TOPICS, LARGE_THEME = 4, 8, 0.4
"""Useful limits of the mean number of topics of a theme. A theme with a larger share of all topics says little."""


def assign_themes(topic_centroids: FloatArray, known: IntArray, next_number: int, seed: int) -> IntArray:
    """Theme number of each topic, shape (topics,).

    ``known`` has the previous themes, NO_TOPIC for new topics. A topic keeps its theme, and a new topic joins the theme
    of the most similar known topic. If no topic has a theme, the themes are communities of the neighbour graph of the
    topics, one for MIN_TOPICS to MAX_TOPICS topics if possible, numbered from ``next_number``.
    """
    themes = known.copy()
    new = np.flatnonzero(known == NO_TOPIC)
    old = np.flatnonzero(known != NO_TOPIC)
    if len(old):
        if len(new):
            nearest = find_nearest(topic_centroids[new], topic_centroids[old], 1).indices[:, 0]
            themes[new] = known[old][nearest]
        return themes
    if len(topic_centroids) < 3:
        return np.full(len(topic_centroids), next_number)
    neighbours = 1 + int(np.clip(round(len(topic_centroids) ** 0.5), 2, 8))  # the last one has no weight
    graph = neighbour_graph(find_nearest_others(topic_centroids, neighbours))
    order = draw_order(len(topic_centroids), seed)
    partitions = [renumber_by_size(louvain(graph, resolution, order), 1) for resolution in RESOLUTIONS]
    return min(partitions, key=_misfit) + next_number


def _misfit(themes: IntArray) -> float:
    """Distance of the themes from a useful number of themes of useful size; 0 within the limits."""
    sizes = np.bincount(themes)
    mean, largest = len(themes) / len(sizes), float(sizes.max()) / len(themes)
    excess = max(mean / MAX_TOPICS, MIN_TOPICS / mean, largest / LARGE_THEME if len(sizes) > 2 else 1.0, 1.0)
    return round(float(np.log(excess)), 6)

"""Themes: groups of similar topics."""

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, louvain, renumber_by_size
from turret_pipeline.topics.clustering.ensemble import draw_order
from turret_pipeline.topics.clustering.neighbours import find_nearest, find_nearest_others, neighbour_graph

THEME_RESOLUTION = 1.0


def assign_themes(topic_centroids: FloatArray, known: IntArray, next_number: int, seed: int) -> IntArray:
    """Theme number of each topic, shape (topics,).

    ``known`` has the previous themes, NO_TOPIC for new topics. A topic keeps its theme, and a new topic joins the theme
    of the most similar known topic. If no topic has a theme, the themes are the communities of the neighbour graph of
    the topics, numbered from ``next_number``.
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
    return renumber_by_size(louvain(graph, THEME_RESOLUTION, draw_order(len(topic_centroids), seed)), 1) + next_number

"""Themes: the second level, groups of topics that are near in meaning."""

import numpy as np

from turret_pipeline.stats.array_types import FloatArray, IntArray
from turret_pipeline.topics.clustering.communities import NO_TOPIC, leiden, renumber_by_size
from turret_pipeline.topics.clustering.neighbours import find_nearest, find_nearest_others, neighbour_graph

THEME_RESOLUTION = 1.0


def group_topics(centres: FloatArray, known: IntArray, next_number: int, seed: int) -> IntArray:
    """A theme for every topic, shape (topics,).

    A topic that had a theme keeps it and a new one joins the theme of the nearest that has one. Where none has,
    themes are the communities of the neighbour graph of the topics, numbered from ``next_number``.
    """
    themes = known.copy()
    new = np.flatnonzero(known == NO_TOPIC)
    old = np.flatnonzero(known != NO_TOPIC)
    if len(old):
        themes[new] = known[old][find_nearest(centres[new], centres[old], 1).indices[:, 0]] if len(new) else themes[new]
        return themes
    if len(centres) < 3:
        return np.full(len(centres), next_number)
    graph = neighbour_graph(find_nearest_others(centres, int(np.clip(round(len(centres) ** 0.5), 2, 8))))
    return renumber_by_size(leiden(graph, THEME_RESOLUTION, seed), 1) + next_number

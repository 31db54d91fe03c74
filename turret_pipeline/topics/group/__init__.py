"""Texts that belong together: their neighbours, communities of the neighbour graph, and how sure these are."""

"""Clusters of texts from their neighbour graph."""

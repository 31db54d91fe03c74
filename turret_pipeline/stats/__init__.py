"""Comparison of groups with intervals and false discovery rates, and types of arrays."""

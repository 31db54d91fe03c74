"""Distinct texts and their vectors: texts, embedding."""

"""Distinct texts and their vectors."""

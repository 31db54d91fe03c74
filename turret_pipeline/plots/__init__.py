"""Figures of topics and journeys. They know nothing of Dagster."""

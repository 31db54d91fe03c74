"""Figures of topics and journeys. Nothing here writes a file or depends on Dagster."""

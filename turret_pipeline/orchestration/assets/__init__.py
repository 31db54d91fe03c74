"""Dagster assets: read, call a pure function, write, report."""

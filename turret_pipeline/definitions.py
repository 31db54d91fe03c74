"""The definitions that Dagster loads: `dagster dev -m turret_pipeline.definitions`."""

from turret_pipeline.orchestration.definitions import defs

__all__ = ["defs"]

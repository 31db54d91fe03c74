"""Settings of the commands of the collector."""

from turret_pipeline.config.collector import CollectorSettings, load_collector_settings
from turret_pipeline.config.pipeline import reject_unknown_names


def load_checked_settings(**overrides: object) -> CollectorSettings:
    """Settings of the collector. Raises TurretError for an invalid one, and for any unknown name in turret.toml."""
    settings = load_collector_settings(**overrides)
    reject_unknown_names()
    return settings

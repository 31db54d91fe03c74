"""Durations that users type, such as 30m."""

import re

from turret_pipeline.errors import TurretError

UNITS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400}


def parse_duration(text: str) -> float:
    """Seconds of a duration such as 30m. Raises TurretError if it is invalid."""
    match = re.fullmatch(r"(\d{1,9}(?:\.\d{1,9})?)\s*([smhd])", text.strip(), re.ASCII)
    if not match or not float(match[1]):
        raise TurretError(f"Invalid duration {text!r}: use 90s, 30m, 2h or 1d.")
    return float(match[1]) * UNITS[match[2]]

"""Options of topic discovery."""

from dataclasses import dataclass


@dataclass(frozen=True)
class TopicOptions:
    """Options of topic discovery. The settings with the same names describe them."""

    granularity: float = 1.0
    min_texts: int = 5
    floor: float = 0.67
    seed: int = 0
    max_clustered: int = 200_000

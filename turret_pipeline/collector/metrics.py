"""Metrics for Prometheus, summed over all workers.

With several workers, each writes its metrics to files in the folder PROMETHEUS_MULTIPROC_DIR, which `turret serve`
sets. The worker that answers a request for metrics sums them.
"""

import os

from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
CONTENT_TYPE = CONTENT_TYPE_LATEST
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)

REQUESTS = Counter("turret_collector_requests", "Requests answered, by path and status", ["path", "status"])
REQUEST_SECONDS = Histogram(
    "turret_collector_request_seconds",
    "Seconds from a request's headers to its answer",
    ["path"],
    buckets=_BUCKETS,
)
EVENTS = Counter("turret_collector_events", "Events stored, by path", ["path"])
DUPLICATE_BATCHES = Counter("turret_collector_duplicate_batches", "Batches that had been stored before", ["path"])
NAIVE_TIMESTAMPS = Counter("turret_collector_naive_timestamps", "Timestamps without a zone, taken as UTC", ["path"])
REPAIRED_VALUES = Counter(
    "turret_collector_repaired_values",
    "Values of stored events that were repaired: broken characters became U+FFFD, numbers out of range null; by path",
    ["path"],
)
COMMIT_SECONDS = Histogram("turret_collector_commit_seconds", "Seconds to store a group of requests", buckets=_BUCKETS)
COMMIT_EVENTS = Histogram(
    "turret_collector_commit_events", "Events in a group that was stored", buckets=(1, 2, 5, 10, 25, 100, 1000, 10_000)
)


def render() -> bytes:
    """All metrics in the text format of Prometheus."""
    if FOLDER_VARIABLE not in os.environ:
        return generate_latest(REGISTRY)
    registry = CollectorRegistry()
    MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    return generate_latest(registry)

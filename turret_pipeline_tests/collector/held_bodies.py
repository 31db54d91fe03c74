"""Collector that works on invalid gzip bodies until it is told to stop: `python -m` with the name of this module.

Each body is decompressed over and over, as if it had as many members as needed. So other requests can be answered
before such a body only if the collector protects them, however fast the machine is.
"""

from pathlib import Path
from unittest import mock

from turret_pipeline.collector import request_bodies
from turret_pipeline.collector.api_errors import ApiError
from turret_pipeline.collector.body_worker import Steps
from turret_pipeline.collector.gzip_bodies import decompress_gzip
from turret_pipeline.collector.server import serve
from turret_pipeline.config.collector import load_collector_settings


def arrivals(data_dir: Path) -> Path:
    """File that grows by one byte with each gzip body that has arrived."""
    return data_dir / "arrivals"


def release(data_dir: Path) -> Path:
    """File whose existence ends the work on invalid bodies."""
    return data_dir / "release"


def _hold_invalid_bodies(data_dir: Path) -> "mock._patch[object]":
    def note_arrival(raw: bytearray, max_bytes: int) -> Steps[bytes]:
        with arrivals(data_dir).open("ab") as file:
            file.write(b".")
        return decompress_until_released(raw, max_bytes)

    def decompress_until_released(raw: bytearray, max_bytes: int) -> Steps[bytes]:
        while True:
            try:
                return (yield from decompress_gzip(raw, max_bytes))
            except ApiError:
                if release(data_dir).exists():
                    raise

    return mock.patch.object(request_bodies, "decompress_gzip", note_arrival)


if __name__ == "__main__":
    settings = load_collector_settings()
    with _hold_invalid_bodies(settings.data_dir):
        serve(settings)

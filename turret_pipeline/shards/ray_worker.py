"""A worker on a machine of a Ray cluster. Ray imports this module there."""

import os


class Worker:
    """Runs shards on a machine of the cluster, one after the other, and keeps what they load."""

    def __init__(self, url: str, key: bytes) -> None:
        os.environ.setdefault("POLARS_MAX_THREADS", "1")  # Ray limits the threads of others
        from turret_pipeline.shards.pieces import Pieces, remove_stale_scratch
        from turret_pipeline.storage.object_store import open_object_store

        remove_stale_scratch()
        self._pieces = Pieces(open_object_store(url), key)

    def wait_until_ready(self) -> None:
        """Return once the worker has started."""

    def run(self, name: str) -> None:
        """Run a shard and store its result."""
        self._pieces.run_shard(name)

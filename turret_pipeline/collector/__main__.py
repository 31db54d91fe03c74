"""`python -m turret_pipeline.collector`. `turret serve` becomes this process, so workers do not load the pipeline."""

import sys

from turret_pipeline.collector.server import serve
from turret_pipeline.config.collector import load_collector_settings
from turret_pipeline.errors import TurretError

if __name__ == "__main__":
    try:
        serve(load_collector_settings())
    except TurretError as error:
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(2)

"""Server of the collector with an empty handler, the baseline of the benchmark `collector`."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from turret_pipeline.collector.metrics_middleware import MetricsMiddleware
from turret_pipeline.collector.server import serve, tune_garbage_collection
from turret_pipeline.config.collector import load_collector_settings


async def _empty(_: Request) -> Response:
    return Response(b'{"success":true}', media_type="application/json")


def create_app() -> ASGIApp:
    """Application with one path, which responds and does nothing else."""
    tune_garbage_collection()
    return MetricsMiddleware(Starlette(routes=[Route("/track", _empty, methods=["POST"])]), ["/track"])


if __name__ == "__main__":
    serve(load_collector_settings(), "turret_pipeline_tests.benchmarks.empty_collector:create_app")

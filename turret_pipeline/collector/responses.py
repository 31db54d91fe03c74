"""JSON responses."""

import orjson
from starlette.responses import Response


def json_response(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON response with the given status and headers."""
    return Response(orjson.dumps(body), status, headers, media_type="application/json")

"""Error responses. Their body is one object that the clients of Turret and of Trubrics both understand."""

from dataclasses import dataclass, field
from typing import Any

from starlette.responses import Response

from turret_pipeline.collector.responses import json_response

INVALID_REQUEST = "INVALID_REQUEST"
MISSING_REQUIRED_FIELD = "MISSING_REQUIRED_FIELD"
TEXT_TOO_LONG = "TEXT_TOO_LONG"
INVALID_API_KEY = "INVALID_API_KEY"
NOT_FOUND = "NOT_FOUND"
METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
REQUEST_TIMEOUT = "REQUEST_TIMEOUT"
REQUEST_TOO_LARGE = "REQUEST_TOO_LARGE"
INVALID_BATCH = "INVALID_BATCH"
RATE_LIMIT_EXCEEDED = "RATE_LIMIT_EXCEEDED"
HEADERS_TOO_LARGE = "HEADERS_TOO_LARGE"
INTERNAL_ERROR = "INTERNAL_ERROR"
STORAGE_UNAVAILABLE = "STORAGE_UNAVAILABLE"
OVERLOADED = "OVERLOADED"

STATUS = {
    INVALID_REQUEST: 400,
    MISSING_REQUIRED_FIELD: 400,
    TEXT_TOO_LONG: 400,
    INVALID_API_KEY: 401,
    NOT_FOUND: 404,
    METHOD_NOT_ALLOWED: 405,
    REQUEST_TIMEOUT: 408,
    REQUEST_TOO_LARGE: 413,
    INVALID_BATCH: 422,
    RATE_LIMIT_EXCEEDED: 429,
    HEADERS_TOO_LARGE: 431,
    INTERNAL_ERROR: 500,
    STORAGE_UNAVAILABLE: 503,
    OVERLOADED: 503,
}
_CLOSES_CONNECTION = {REQUEST_TIMEOUT, REQUEST_TOO_LARGE, OVERLOADED}  # so that the rest of the body is not read


@dataclass
class ApiError(Exception):
    """Error response: a code for programs, a message for people, and the invalid items of a batch.

    Starlette turns it into the response, wherever it is raised.
    """

    code: str
    message: str
    items: list[dict[str, Any]] = field(default_factory=list)
    retry_after: int | None = None
    headers: dict[str, str] = field(default_factory=dict)

    def body(self) -> dict[str, Any]:
        """Error object. Trubrics' clients read ``detail``, Turret's read the other keys."""
        detail = self.items or self.message
        body = {"success": False, "error": self.message, "code": self.code, "detail": detail}
        return body if self.retry_after is None else body | {"retry_after": self.retry_after}

    def response(self) -> Response:
        """Response with the status of the code, and headers for the time to wait."""
        headers = dict(self.headers)
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        if self.code in _CLOSES_CONNECTION:
            headers["connection"] = "close"
        return json_response(self.body(), STATUS[self.code], headers)

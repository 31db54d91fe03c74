"""Bodies of requests within limits: bytes, seconds, memory, and what a compressed one unfolds to."""

import asyncio
import zlib

import orjson
from starlette.requests import Request
from starlette.types import Message

from turret_pipeline.collector.api_errors import (
    INVALID_REQUEST,
    OVERLOADED,
    REQUEST_TOO_LARGE,
    ApiError,
)
from turret_pipeline.config.collector import MEGABYTE, CollectorSettings

JSON, NDJSON = "application/json", "application/x-ndjson"
_GZIP_WINDOW = 16 + zlib.MAX_WBITS
_INLINE_BYTES = 1 << 16


class Bodies:
    """Reads bodies. Those of a worker share one budget of memory, so that many large ones cannot fill the machine.

    How long a body may take is the connection's affair (``protocol``), which then ends it.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        self._most = settings.max_body_bytes
        self._budget = int(settings.max_pending_mb * MEGABYTE)

    async def read(self, request: Request, *, may_be_gzip: bool = False) -> bytes:
        """The body of a request, decompressed where allowed. Raises ApiError."""
        is_gzip = False
        for name, value in request.scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._most:
                raise self._too_large()
            if name == b"content-encoding" and value.lower() != b"identity":
                is_gzip = _checked_gzip(value, may_be_gzip)
        message = await request.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body = message["body"]
            if len(body) > self._most:
                raise self._too_large()
        else:
            body = await self._rest(request, message)
        return await self._unfolded(body) if is_gzip else body

    async def _rest(self, request: Request, message: Message) -> bytes:
        """A body that comes in parts."""
        body = bytearray()
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise ApiError(INVALID_REQUEST, "The body did not arrive whole.")
                part = message.get("body", b"")
                self._take(len(part))
                body += part
                if len(body) > self._most:
                    raise self._too_large()
                if not message.get("more_body"):
                    return bytes(body)
                message = await request.receive()
        finally:
            self._budget += len(body)

    async def _unfolded(self, raw: bytes) -> bytes:
        """Large bodies unfold beside the event loop, within the budget."""
        if len(raw) <= _INLINE_BYTES:
            return self._gunzip(raw)
        self._take(self._most)
        try:
            return await asyncio.to_thread(self._gunzip, raw)
        finally:
            self._budget += self._most

    def _take(self, size: int) -> None:
        if size > self._budget:
            raise ApiError(OVERLOADED, "Too much is being received at the moment: send it again.", retry_after=1)
        self._budget -= size

    def _gunzip(self, raw: bytes) -> bytes:
        """All members of a gzip body, never more than the limit of them in memory."""
        parts, left = [], self._most + 1
        try:
            while raw:
                member = zlib.decompressobj(_GZIP_WINDOW)
                part = member.decompress(raw, left)
                parts.append(part)
                left -= len(part)
                if left <= 0:
                    raise self._too_large()
                if not member.eof:
                    raise ApiError(INVALID_REQUEST, "The gzip body ends too early.")
                raw = member.unused_data
        except zlib.error:
            raise ApiError(INVALID_REQUEST, "The body is not gzip, though Content-Encoding says so.") from None
        return b"".join(parts)

    def _too_large(self) -> ApiError:
        return ApiError(REQUEST_TOO_LARGE, f"The body is larger than {self._most} bytes: send less at a time.")


def media_type(request: Request) -> str:
    """The content type without its parameters."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            text: str = value.decode("latin-1")
            return text.partition(";")[0].strip().lower()
    return ""


def _checked_gzip(encoding: bytes, may_be_gzip: bool) -> bool:
    """Whether a body is gzip. Raises ApiError where it is anything else, or may not be."""
    if may_be_gzip and encoding.lower() == b"gzip":
        return True
    verdict = "gzip is the only encoding" if may_be_gzip else "this path takes none"
    raise ApiError(INVALID_REQUEST, f"The Content-Encoding cannot be used here: {verdict}.")


def parsed(body: bytes) -> object:
    """The JSON value of a body. Raises ApiError."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(INVALID_REQUEST, f"The body is not JSON: {error}.") from None

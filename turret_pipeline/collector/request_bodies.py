"""Request bodies within limits of size, memory and decompressed size."""

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
_GZIP_WINDOW_BITS = 16 + zlib.MAX_WBITS  # 16 makes zlib expect gzip
_INLINE_BYTES = 1 << 16


class BodyReader:
    """Reads bodies. All requests of a worker share one memory budget, so that many large bodies cannot fill memory.

    The protocol of the connection limits how long a body may take to arrive.
    """

    def __init__(self, settings: CollectorSettings) -> None:
        self._max_bytes = settings.max_body_bytes
        self._budget_bytes = int(settings.max_pending_mb * MEGABYTE)

    async def read(self, request: Request, *, may_be_gzip: bool = False) -> bytes:
        """Body of a request, decompressed if it is gzip and ``may_be_gzip``. Raises ApiError if it is not allowed."""
        is_gzip = False
        for name, value in request.scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_bytes:
                raise self._too_large()
            if name == b"content-encoding" and value.lower() != b"identity":
                is_gzip = _validate_gzip(value, may_be_gzip)
        message = await request.receive()
        if message["type"] == "http.request" and not message.get("more_body"):
            body = message["body"]
            if len(body) > self._max_bytes:
                raise self._too_large()
        else:
            body = await self._read_chunks(request, message)
        return await self._decompress(body) if is_gzip else body

    async def _read_chunks(self, request: Request, message: Message) -> bytes:
        """Body that arrives in several chunks; ``message`` is the first."""
        body = bytearray()
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise ApiError(INVALID_REQUEST, "The body is incomplete: the connection ended.")
                chunk = message.get("body", b"")
                self._reserve(len(chunk))
                body += chunk
                if len(body) > self._max_bytes:
                    raise self._too_large()
                if not message.get("more_body"):
                    return bytes(body)
                message = await request.receive()
        finally:
            self._budget_bytes += len(body)

    async def _decompress(self, raw: bytes) -> bytes:
        """Decompressed body. Large bodies are decompressed in a thread, within the budget."""
        if len(raw) <= _INLINE_BYTES:
            return self._gunzip(raw)
        self._reserve(self._max_bytes)
        try:
            return await asyncio.to_thread(self._gunzip, raw)
        finally:
            self._budget_bytes += self._max_bytes

    def _reserve(self, size: int) -> None:
        if size > self._budget_bytes:
            raise ApiError(OVERLOADED, "Too many large requests at the moment: send this one again.", retry_after=1)
        self._budget_bytes -= size

    def _gunzip(self, raw: bytes) -> bytes:
        """All members of a gzip body. At most one byte more than the limit is decompressed."""
        parts, bytes_left = [], self._max_bytes + 1
        try:
            while raw:
                member = zlib.decompressobj(_GZIP_WINDOW_BITS)
                part = member.decompress(raw, bytes_left)
                parts.append(part)
                bytes_left -= len(part)
                if bytes_left <= 0:
                    raise self._too_large()
                if not member.eof:
                    raise ApiError(INVALID_REQUEST, "The gzip body ends too early.")
                raw = member.unused_data
        except zlib.error:
            raise ApiError(INVALID_REQUEST, "The body is not gzip, although Content-Encoding is gzip.") from None
        return b"".join(parts)

    def _too_large(self) -> ApiError:
        return ApiError(REQUEST_TOO_LARGE, f"The body is larger than {self._max_bytes} bytes: send less at a time.")


def media_type(request: Request) -> str:
    """Content type of a request without its parameters; empty if there is none."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            text: str = value.decode("latin-1")
            return text.partition(";")[0].strip().lower()
    return ""


def _validate_gzip(encoding: bytes, may_be_gzip: bool) -> bool:
    """Return True for gzip on a path that takes it. Raises ApiError for everything else."""
    if may_be_gzip and encoding.lower() == b"gzip":
        return True
    allowed = "this path takes gzip only" if may_be_gzip else "this path takes no compressed body"
    raise ApiError(INVALID_REQUEST, f"Unsupported Content-Encoding: {allowed}.")


def parse_json(body: bytes) -> object:
    """JSON value of a body. Raises ApiError if it is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise ApiError(INVALID_REQUEST, f"The body is not JSON: {error}.") from None

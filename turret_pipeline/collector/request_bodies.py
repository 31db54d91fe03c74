"""Request bodies within limits of size, memory and decompressed size."""

from starlette.requests import Request
from starlette.types import Message

from turret_pipeline.collector.api_errors import INVALID_REQUEST, ApiError
from turret_pipeline.collector.body_worker import BodyWorker
from turret_pipeline.collector.gzip_bodies import body_too_large, decompress_gzip
from turret_pipeline.collector.shared_budget import SharedBudget
from turret_pipeline.config.collector import CollectorSettings


class BodyReader:
    """Reads bodies. The protocol of the connection limits how long a body may take to arrive."""

    def __init__(self, settings: CollectorSettings, budget: SharedBudget, worker: BodyWorker) -> None:
        self._max_bytes = settings.max_body_bytes
        self._budget = budget
        self._worker = worker

    async def read(self, request: Request, project: str, *, may_be_gzip: bool = False) -> bytes:
        """Body of a request, decompressed if it is gzip and ``may_be_gzip``. Raises ApiError if it is not allowed."""
        is_gzip = False
        for name, value in request.scope["headers"]:
            if name == b"content-length" and value.isdigit() and int(value) > self._max_bytes:
                raise body_too_large(self._max_bytes)
            if name == b"content-encoding" and value.lower() != b"identity":
                is_gzip = _validate_gzip(value, may_be_gzip)
        message = await request.receive()
        if message["type"] == "http.request" and not message.get("more_body") and not is_gzip:
            whole: bytes = message["body"]
            if len(whole) > self._max_bytes:
                raise body_too_large(self._max_bytes)
            return whole
        chunks = bytearray()
        try:
            await self._read_chunks(request, project, message, chunks)
            if is_gzip:
                return await self._worker.run(
                    request, project, decompress_gzip(chunks, self._max_bytes), self._max_bytes
                )
            return bytes(chunks)
        finally:
            self._budget.give_back(project, len(chunks))

    async def _read_chunks(self, request: Request, project: str, message: Message, body: bytearray) -> None:
        """Append all chunks to the body; ``message`` is the first."""
        while message["type"] != "http.disconnect":
            chunk = message.get("body", b"")
            self._budget.take(project, len(chunk))
            body += chunk
            if len(body) > self._max_bytes:
                raise body_too_large(self._max_bytes)
            if not message.get("more_body"):
                return
            message = await request.receive()
        raise ApiError(INVALID_REQUEST, "The body is incomplete: the connection ended.")


def _validate_gzip(encoding: bytes, may_be_gzip: bool) -> bool:
    """Return True for gzip on a path that takes it. Raises ApiError for everything else."""
    if may_be_gzip and encoding.lower() == b"gzip":
        return True
    allowed = "this path takes gzip only" if may_be_gzip else "this path takes no compressed body"
    raise ApiError(INVALID_REQUEST, f"Unsupported Content-Encoding: {allowed}.")

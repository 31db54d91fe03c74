"""Events in request bodies: one object, an array, or lines. Values that no table can hold are repaired and counted."""

import itertools
import re
from collections.abc import Sequence

import orjson
from starlette.requests import Request

from turret_pipeline.collector.api_errors import INVALID_REQUEST, ApiError
from turret_pipeline.collector.body_worker import BodyWorker, Steps
from turret_pipeline.collector.wire.batch_items import Items, parse_items, recover_items
from turret_pipeline.collector.wire.validation import describe_type
from turret_pipeline.json_repair import Loaded, load_json_in_steps

_COPIES = 3
"""Memory of a body in repair, in multiples of its size: the body, its repaired text, and its items."""

_LARGE_BYTES = 1 << 18
"""Size of a body whose parsing takes so long that projects take turns."""

_NEXT_LINE = re.compile(rb"\s*+([^\r\n]++)")
"""Pattern of a line that is not blank, from its first visible character."""

JSON, NDJSON = "application/json", "application/x-ndjson"


class ItemReader:
    """Reads items. Small bodies in plain JSON are parsed at once; the worker handles all others."""

    def __init__(self, worker: BodyWorker) -> None:
        self._worker = worker

    async def read_value(self, request: Request, project: str, body: bytes) -> Loaded:
        """The value of a body. Raises ApiError if it is not JSON."""
        try:
            (value,) = await self._parse(request, project, [body])
            return Loaded(value, 0)
        except orjson.JSONDecodeError:
            pass
        try:
            return await self._worker.run(request, project, load_json_in_steps(body), len(body) * _COPIES)
        except orjson.JSONDecodeError as error:
            raise _not_json(error) from None

    async def read_array(self, request: Request, project: str, body: bytes, max_items: int) -> Items:
        """Items of an array. Raises ApiError if the body is not an array or has too many items."""
        try:
            (value,) = await self._parse(request, project, [body])
        except orjson.JSONDecodeError as error:
            items = await self._worker.run(request, project, recover_items(body, max_items), len(body) * _COPIES)
            if items is None:
                raise _not_json(error) from None
            return _limit(items, max_items)
        if type(value) is not list:
            raise ApiError(INVALID_REQUEST, f"The body is {describe_type(value)}: it must be an array of events.")
        return _limit(Items(value), max_items)

    async def read_lines(self, request: Request, project: str, body: bytes, max_items: int) -> Items:
        """Items of JSON lines. Raises ApiError if the body has too many items."""
        lines = [found[1] for found in itertools.islice(_NEXT_LINE.finditer(body), max_items + 1)]
        try:
            items = Items(await self._parse(request, project, lines))
        except orjson.JSONDecodeError:
            items = await self._worker.run(request, project, parse_items(lines), len(body) * _COPIES)
        return _limit(items, max_items)

    async def _parse(self, request: Request, project: str, texts: Sequence[bytes]) -> list[object]:
        """Values of JSON texts. Raises orjson.JSONDecodeError."""
        if sum(map(len, texts)) < _LARGE_BYTES:
            return [orjson.loads(text) for text in texts]
        return await self._worker.run(request, project, _parse_in_steps(texts), 0)


def _parse_in_steps(texts: Sequence[bytes]) -> Steps[list[object]]:
    values = list[object]()
    for text in texts:
        values.append(orjson.loads(text))
        yield
    return values


def media_type(request: Request) -> str:
    """Content type of a request without its parameters; empty if there is none."""
    for name, value in request.scope["headers"]:
        if name == b"content-type":
            text: str = value.decode("latin-1")
            return text.partition(";")[0].strip().lower()
    return ""


def _limit(items: Items, max_items: int) -> Items:
    if len(items.values) > max_items:
        raise ApiError(INVALID_REQUEST, f"The body has more than {max_items} events: send fewer at a time.")
    return items


def _not_json(error: orjson.JSONDecodeError) -> ApiError:
    return ApiError(INVALID_REQUEST, f"The body is not JSON: {error}.")

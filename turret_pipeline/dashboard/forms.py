"""The fields of a form that a page sends."""

from urllib.parse import parse_qsl

from starlette.exceptions import HTTPException
from starlette.requests import Request

MAX_BYTES, MAX_FIELDS = 200_000, 1000


async def read_form(request: Request) -> dict[str, str]:
    """The fields, the last of those with one name. Raises HTTPException if the form is too large or not a form."""
    if request.headers.get("content-type", "").partition(";")[0] != "application/x-www-form-urlencoded":
        raise HTTPException(415, "Only forms of the dashboard's pages are accepted.")
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise HTTPException(413, f"The form is larger than {MAX_BYTES:,} bytes.")
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None

"""/openapi.json and /docs. The page has no scripts and loads nothing, so it works offline and runs no foreign code."""

import html
from importlib.metadata import version
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from turret_pipeline.collector.examples import format_command
from turret_pipeline.collector.openapi import build_document
from turret_pipeline.config.collector import CollectorSettings

_STYLE = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "pre,code{background:#8882;border-radius:4px;padding:.1em .3em}pre{padding:1em;overflow:auto}"
    "h2{border-top:1px solid #8886;padding-top:1rem}td,th{text-align:left;padding:.2em .8em .2em 0;vertical-align:top}"
)
_SECURITY_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
}


class Documentation:
    """Endpoints of the OpenAPI document and its page, both built once."""

    def __init__(self, settings: CollectorSettings) -> None:
        document = build_document(settings, version("turret-pipeline"))
        self._json = orjson.dumps(document)
        self._html = _render_page(document)

    async def openapi(self, _: Request) -> Response:
        """Respond with the OpenAPI document."""
        return Response(self._json, media_type="application/json")

    async def page(self, _: Request) -> Response:
        """Respond with the document as a page."""
        return HTMLResponse(self._html, headers=_SECURITY_HEADERS)


def _render_page(document: dict[str, Any]) -> str:
    title = html.escape(document["info"]["title"])
    operations = [
        _render_operation(method, path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    schemas = [_render_schema(name, schema) for name, schema in document["components"]["schemas"].items()]
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"<h1>{title}</h1><p>{html.escape(document['info']['description'])} Send the key as the header "
        "<code>X-API-Key</code>. The examples read the URL from <code>TURRET_COLLECTOR_URL</code> and the key from "
        "<code>TURRET_COLLECTOR_API_KEY</code>. Machines read <a href='openapi.json'>openapi.json</a>.</p>"
        f"{''.join(operations)}<h2>Schemas</h2>{''.join(schemas)}</html>"
    )


def _render_operation(method: str, path: str, operation: dict[str, Any]) -> str:
    body = operation.get("requestBody", {}).get("content", {})
    takes = "".join(
        f"<p>Takes <code>{html.escape(kind)}</code>: {_describe_schema(item['schema'])}</p>"
        for kind, item in body.items()
    )
    answers = "".join(
        f"<tr><th>{html.escape(status)}</th><td>{html.escape(answer['description'])}</td></tr>"
        for status, answer in operation["responses"].items()
    )
    return (
        f"<h2><code>{method.upper()} {html.escape(path)}</code></h2><p>{html.escape(operation['summary'])}. "
        f"{html.escape(operation.get('description', ''))}</p>{takes}"
        f"<pre>{html.escape(format_command(path))}</pre><table>{answers}</table>"
    )


def _describe_schema(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        name = html.escape(schema["$ref"].rsplit("/", 1)[-1])
        return f"<a href='#{name}'>{name}</a>"
    items = schema.get("items")
    inner = f" of {_describe_schema(items)}" if isinstance(items, dict) else ""
    return html.escape(str(schema.get("type", "anything"))) + inner


def _render_schema(name: str, schema: dict[str, Any]) -> str:
    text = orjson.dumps(schema, option=orjson.OPT_INDENT_2).decode()
    title = html.escape(name)
    return f"<details id='{title}'><summary>{title}</summary><pre>{html.escape(text)}</pre></details>"

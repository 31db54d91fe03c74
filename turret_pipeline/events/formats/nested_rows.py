"""Records with several rows in them: batches of OpenTelemetry spans, as its collector writes them ("OTLP JSON File
Exporter"), and Langfuse traces with their observations and scores, as its API returns one. Rows whose texts are JSON
strings, as Langfuse's CSV exports had them, are read without this second encoding."""

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.langfuse import LANGFUSE_TRACE
from turret_pipeline.events.formats.span_conventions import expand, is_of_language_model
from turret_pipeline.events.formats.span_rows import read_span

_BATCHES = ("resourceSpans", "resource_spans", "batches")
_WRAPPERS = ("trace", "data", "result")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans", "instrumentation_library_spans")
_TRACE_KEYS = ("observations", "scores")
_NO_SPANS = ("not_an_event", "The row is a batch of spans, none of which is of a language model.")


def split_record(record: object) -> list[object]:
    """Rows in a record: the spans of a batch that are of language models, or a trace and what it holds, or itself."""
    if not isinstance(record, Mapping):
        return [record]
    record = _decode_texts(record)
    batch = next(
        (record[key] for key in _WRAPPERS if len(record) == 1 and isinstance(record.get(key), Mapping)), record
    )
    key = next((key for key in _BATCHES if key in batch), None)
    if key is not None:
        return [*_find_spans(batch[key])] or [Rejection(*_NO_SPANS)]
    if any(isinstance(record.get(key), list) for key in _TRACE_KEYS) and LANGFUSE_TRACE.shape.matches(record):
        return [record, *(row for key in _TRACE_KEYS for row in _objects(record.get(key)))]
    return [record]


def _decode_texts(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record with the texts that are in its JSON strings, if its id is one. Other texts stay."""
    if not _is_quoted(record.get("id")):
        return record
    texts = {key: value for key, value in record.items() if isinstance(value, str) and value}
    try:
        return {**record, **{key: orjson.loads(value) if _is_quoted(value) else value for key, value in texts.items()}}
    except orjson.JSONDecodeError:
        return record


def _is_quoted(value: object) -> bool:
    return isinstance(value, str) and len(value) > 1 and value[0] == value[-1] == '"'


def _find_spans(batches: object) -> Iterator[Mapping[str, Any]]:
    for batch in _objects(batches):
        resource = batch.get("resource")
        for scope in _objects(next((batch[key] for key in _SCOPES if key in batch), None)):
            for span in _objects(scope.get("spans")):
                if is_of_language_model(expand(read_span(span)), None):
                    yield {**span, "resource": resource}


def _objects(values: object) -> Iterator[Mapping[str, Any]]:
    return (value for value in values if isinstance(value, Mapping)) if isinstance(values, list) else iter(())

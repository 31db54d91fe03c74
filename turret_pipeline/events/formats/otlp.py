"""Batches of OpenTelemetry spans, as its collector writes them: one line has many spans."""

from collections.abc import Iterator, Mapping
from typing import Any

from turret_pipeline.events.formats.event import Rejection

_BATCHES = ("resourceSpans", "resource_spans", "batches")
_SCOPES = ("scopeSpans", "scope_spans", "instrumentationLibrarySpans")
_PREFIXES = ("gen_ai.", "llm.", "openinference.", "langfuse.", "traceloop.", "ai.")
_NO_SPANS = ("not_an_event", "The row is a batch of spans, none of which is of a language model.")


def split_record(record: object) -> list[object]:
    """Rows in a record: the spans of a batch that are of language models, or else the record itself."""
    key = next((key for key in _BATCHES if key in record), None) if isinstance(record, Mapping) else None
    if key is None or not isinstance(record, Mapping):
        return [record]
    return [*_find_spans(record[key])] or [Rejection(*_NO_SPANS)]


def _find_spans(batches: object) -> Iterator[Mapping[str, Any]]:
    for batch in _objects(batches):
        resource = batch.get("resource")
        for scope in _objects(next((batch[key] for key in _SCOPES if key in batch), None)):
            for span in _objects(scope.get("spans")):
                if _is_of_language_model(span):
                    yield {**span, "resource": resource}


def _is_of_language_model(span: Mapping[str, Any]) -> bool:
    keys = (attribute.get("key") for attribute in _objects(span.get("attributes")))
    return any(isinstance(key, str) and key.startswith(_PREFIXES) for key in keys)


def _objects(values: object) -> Iterator[Mapping[str, Any]]:
    return (value for value in values if isinstance(value, Mapping)) if isinstance(values, list) else iter(())

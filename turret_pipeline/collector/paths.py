"""Paths of the HTTP interface that more than one module uses."""

TRACK = "/track"
V1_EVENTS = "/v1/events"
TRUBRICS_PREFIX = "/api/ingestion"
"""Trubrics' clients use its paths with or without this prefix."""

"""Example of a request to each endpoint, for the documentation. Tests send them."""

import shlex
from collections.abc import Mapping
from typing import Any

import orjson

from turret_pipeline.collector.paths import TRACK, TRUBRICS_PREFIX, V1_EVENTS

_AT = "2026-09-01T10:00:00Z"
_LLM_EVENT = {
    "user_id": "u1",
    "prompt": "Where is my parcel?",
    "generation": "On its way.",
    "timestamp": _AT,
    "thread_id": "s1",
    "latency": 0.8,
}
EXAMPLES: Mapping[str, Any] = {
    TRACK: {"name": "prompt_sent", "metadata": {"prompt": "Where is my parcel?"}, "session_id": "s1", "user_id": "u1"},
    V1_EVENTS: [
        {
            "event_id": "e1",
            "name": "prompt_sent",
            "session_id": "s1",
            "user_id": "u1",
            "timestamp": _AT,
            "metadata": {"prompt": "Where is my parcel?"},
        }
    ],
    "/publish_events": [
        {"user_id": "u1", "event": "answer_copied", "timestamp": _AT, "properties": {"$thread_id": "s1"}}
    ],
    "/publish_llm_events": [_LLM_EVENT],
    "/publish_segment_events": [
        {
            "user_id": "u1",
            "anonymous_id": "a1",
            "event": "answer_copied",
            "timestamp": _AT,
            "properties": {"plan": "free"},
        }
    ],
    "/identify_segment_users": [{"user_id": "u1", "anonymous_id": "a1", "timestamp": _AT, "traits": {"plan": "free"}}],
}
"""Body of a request to each path that takes events."""


def find_example(path: str) -> Any:  # noqa: ANN401
    """Example body of a request to a path, None if it takes none."""
    return EXAMPLES.get(path.removeprefix(TRUBRICS_PREFIX))


def format_command(path: str) -> str:
    """Command that sends the example of a path, for a shell with the URL and the key in their variables."""
    command = f'curl -sf "$TURRET_COLLECTOR_URL{path}"'
    example = find_example(path)
    if example is None:
        return command
    body = shlex.quote(orjson.dumps(example).decode())
    headers = '-H "X-API-Key: $TURRET_COLLECTOR_API_KEY" -H "Content-Type: application/json"'
    return f"{command} \\\n  {headers} \\\n  -d {body}"

"""Formats of Rasa: trackers, and their events as rows of the SQL tracker store or of an event broker.

They follow "Tracker Stores", "Event Brokers" and "Default Actions" in the documentation of Rasa, and the events of
``rasa.shared.core.events``. ``sender_id`` names the person who talks to the bot, and the conversation.
"""

from typing import Any

from turret_pipeline.events.formats.content import FILE, IMAGE
from turret_pipeline.events.formats.event import Rejection
from turret_pipeline.events.formats.format import Columns, Format, Shape, is_among
from turret_pipeline.events.formats.message import ASSISTANT, USER
from turret_pipeline.events.formats.normalization import NORMALIZED_CHAT, object_at, objects_in, pick, require_event
from turret_pipeline.events.formats.row_values import Row, describe_value, from_json, lookup

_DEFAULT_ACTIONS = frozenset(
    "action_listen action_restart action_session_start action_default_fallback action_deactivate_loop "
    "action_deactivate_form action_two_stage_fallback action_default_ask_affirmation action_default_ask_rephrase "
    "action_back action_revert_fallback_events action_unlikely_intent action_extract_slots action_send_text "
    "action_run_slot_rejections action_clean_stack action_correct_flow_slot action_cancel_flow action_trigger_search "
    "action_trigger_flow action_trigger_chitchat action_repeat_bot_messages action_reset_routing".split()
)
"""Actions of Rasa itself, which move the conversation and call nothing."""

_COLUMNS = Columns(session_id=("sender_id",), user_id=("sender_id",), event_at=("timestamp", "latest_event_time"))
_TYPES = frozenset(
    "user bot action slot session_started session_ended active_loop form loop_interrupted form_validation restart "
    "rewind reset_slots undo followup export reminder cancel_reminder pause resume agent user_featurization entities "
    "action_execution_rejected warning_predicted story stack flow_started flow_completed flow_interrupted "
    "flow_resumed flow_cancelled routing_session_ended".split()
)
_PLAIN_KEYS = {"user": ("parse_data",), "bot": ("data",), "action": ("policy", "hide_rule_turn", "action_text")}
"""Keys that only Rasa's events of these types have."""


def _normalize_tracker(row: Row) -> Row:
    _require_sender(row)
    read = (_read_event(event) for event in objects_in(row.get("events")))
    return {**row, "messages": [message for message in read if message is not None]}


def _normalize_event(row: Row) -> Row:
    _require_sender(row)
    event = object_at(row, "data") if "type_name" in row or "event" not in row else row
    kind = event.get("event") or row.get("type_name")
    message = _read_event({"timestamp": row.get("timestamp"), "name": row.get("action_name"), **event, "event": kind})
    if message is None:
        rule = "only texts of the user and the bot, and actions that an action server runs, are events"
        raise Rejection("not_an_event", f"The event of type {describe_value(kind)} says nothing: {rule}.")
    return {**row, "messages": [require_event(message)]}


def _require_sender(row: Row) -> None:
    if row.get("sender_id") in (None, ""):
        fix = "keep the trackers, or add their sender_id to each event."
        raise Rejection("missing_sender_id", f"sender_id is missing, so that the event belongs to nobody: {fix}")


def _read_event(event: Row) -> dict[str, Any] | None:
    kind = event.get("event")
    shared = {"created_at": event.get("timestamp"), "id": event.get("message_id")}
    if kind == "user" and event.get("text"):
        facts = pick(event, intent=("parse_data.intent.name",), input_channel=("input_channel",))
        return {**shared, "role": USER, "content": event["text"], **facts}
    if kind == "bot":
        facts = pick(event, utter_action=("metadata.utter_action",))
        return {**shared, "role": ASSISTANT, "content": _read_answer(event), **facts}
    name = event.get("name")
    if kind == "action" and isinstance(name, str) and name not in _DEFAULT_ACTIONS and not name.startswith("utter_"):
        return {**shared, "role": ASSISTANT, "tool_calls": [{"name": name}]}
    return None


def _read_answer(event: Row) -> list[Any]:
    data = object_at(event, "data")
    files = [line for key, line in (("image", IMAGE), ("attachment", FILE)) if data.get(key)]
    return [event.get("text"), *files]


def _is_event(row: Row) -> bool:
    """True for a row of the tracker store or of a broker, and for the event of a tracker that lost its tracker."""
    if "sender_id" in row:
        kind = row.get("event") or lookup({"data": from_json(row.get("data"))}, "data.event")
        return "type_name" in row or is_among(kind, _TYPES)
    kind, name = row.get("event"), row.get("name")
    if kind == "action" and isinstance(name, str) and name.startswith(("action_", "utter_")):
        return True
    return isinstance(kind, str) and any(key in row for key in _PLAIN_KEYS.get(kind, ()))


RASA_TRACKER = Format(
    name="rasa_tracker",
    title="Rasa tracker",
    shape=Shape("`sender_id` and `events`, an array", required=(("sender_id",),), arrays=("events",)),
    columns=_COLUMNS,
    becomes="a session with an event for each message and each action of your own",
    conversation=NORMALIZED_CHAT,
    keeps_rest=False,
    json_columns=("events",),
    normalize=_normalize_tracker,
    example={
        "sender_id": "u-1",
        "slots": {},
        "events": [
            {"event": "action", "timestamp": 1772442899.5, "name": "action_listen"},
            {
                "event": "user",
                "timestamp": 1772442900.0,
                "text": "How do I reset my password?",
                "parse_data": {"intent": {"name": "reset_password", "confidence": 0.98}},
                "message_id": "m-1",
            },
            {"event": "bot", "timestamp": 1772442901.0, "text": "Open Settings and choose Reset.", "data": {}},
        ],
    },
)

RASA_EVENT = Format(
    name="rasa_event",
    title="event of a Rasa tracker",
    shape=Shape(
        "`sender_id`, and `event` or `type_name` of a tracker's events, or `data`",
        required=(("event", "type_name", "data"),),
        forbidden=("properties", "distinct_id", "type", "user_id", "session_id"),
        test=_is_event,
    ),
    columns=_COLUMNS,
    becomes="a prompt, an answer or an action of your own; other events of a tracker are not events",
    conversation=NORMALIZED_CHAT,
    keeps_rest=False,
    json_columns=("data", "parse_data", "metadata"),
    normalize=_normalize_event,
    example={
        "id": 1,
        "sender_id": "u-1",
        "type_name": "user",
        "timestamp": 1772442900.0,
        "intent_name": "reset_password",
        "action_name": None,
        "data": '{"event": "user", "timestamp": 1772442900.0, "text": "How do I reset my password?"}',
    },
)

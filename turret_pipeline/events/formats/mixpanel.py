"""Format of Mixpanel's raw event export.

Its times are Unix seconds. Projects created before 2023 export them in the time zone of the project, which the rows do
not contain.
"""

from turret_pipeline.events.formats.format import Columns, Format, Identity, Part, Shape

_DEVICE = "$device:"
"""Prefix of a device that Mixpanel writes as the distinct_id of an event without a user."""

MIXPANEL = Format(
    name="mixpanel",
    title="Mixpanel event",
    shape=Shape(
        "`event` and `properties.time`",
        required=(("event",), ("properties.time",)),
        forbidden=("name", "event_name", "user_id", "timestamp"),
    ),
    columns=Columns(
        event_id=("properties.$insert_id",),
        event_name=("event",),
        session_id=("properties.session_id", "properties.$session_id"),
        user_id=("properties.distinct_id", "properties.$user_id", "properties.$device_id"),
        event_at=("properties.time",),
        received_at=("properties.mp_processing_time_ms",),
    ),
    identities=(
        Identity(
            "Mixpanel sign-in",
            user=("properties.$identified_id",),
            anonymous=("properties.$anon_id", "properties.$anon_distinct_id"),
            device_prefix=_DEVICE,
            only_if={"event": frozenset({"$identify"})},
        ),
        Identity(
            "Mixpanel alias",
            user=("properties.distinct_id",),
            aliases=("properties.alias",),
            only_if={"event": frozenset({"$create_alias"})},
        ),
        Identity("Mixpanel merge", aliases=("properties.$distinct_ids",), only_if={"event": frozenset({"$merge"})}),
        Identity(
            "Mixpanel device",
            user=("properties.$user_id",),
            devices=("properties.$device_id",),
            device_prefix=_DEVICE,
        ),
    ),
    parts=(Part("properties"),),
    json_columns=("properties",),
    drop=tuple(
        f"properties.{key}" for key in ("token", "mp_sent_by_lib_version", "$mp_api_endpoint", "$mp_api_timestamp_ms")
    ),
    example={
        "event": "Report Opened",
        "properties": {
            "time": 1772442900,
            "distinct_id": "u-1",
            "$insert_id": "i-1",
            "mp_processing_time_ms": 1772442901000,
            "plan": "team",
        },
    },
)

"""Format of event logs of process mining: rows of XES files as ``ingest.xes`` reads them, and rows of CSV files.

It follows "IEEE Standard for eXtensible Event Stream (XES)", whose names of columns pm4py also writes to CSV, and the
columns of Disco's and Celonis' exports. The user is
``user_id``, or else the resource: the person who performs the activity.
"""

import functools
import re
from typing import Any

from turret_pipeline.events.formats.format import Columns, Format, Shape
from turret_pipeline.events.formats.row_values import Paths, Row

_NAMES: dict[str, Paths] = {
    "case": ("case:concept:name", "case_concept_name", "case_id", "caseid", "case_key"),
    "activity": ("concept:name", "concept_name", "activity", "activity_name", "activity_en"),
    "time": (
        *("time:timestamp", "time_timestamp", "complete_timestamp", "completetimestamp", "timestamp", "eventtime"),
        *("end_timestamp", "end_time", "start_timestamp", "starttimestamp", "start_time", "time"),
    ),
    "user": ("user_id", "case:user_id", "org:resource", "org_resource", "resource", "user"),
}
"""Names that tools use for a column, in lower case and with underscores for spaces; the most exact come first."""

_STANDARD = ("case:concept:name", "concept:name", "time:timestamp")
_OTHER_PRODUCTS = ("name", "event_name", "event", "metadata")
_SLASHES = re.compile(r"\A(\d{4})/(\d{2})/(\d{2})")


@functools.lru_cache(maxsize=4096)
def _plain_name(key: str) -> str:
    return re.sub(r"[\s_]+", "_", key.lower()).strip("_")


def _find_keys(row: Row, column: str) -> list[str]:
    """Keys of the row that name the column, the most exact first."""
    keys = {_plain_name(key): key for key in row if isinstance(key, str)}
    return [keys[name] for name in _NAMES[column] if name in keys]


def _is_event_log(row: Row) -> bool:
    """True for a row with a column of the standard, or with a case, an activity and a time under other names."""
    if any(key in row for key in _STANDARD):
        return True
    return not any(key in row for key in _OTHER_PRODUCTS) and all(
        _find_keys(row, column) for column in ("case", "activity", "time")
    )


def _name_columns(row: Row) -> Row:
    """The row with the values of its columns under the names that the format's paths have."""
    left, found = dict(row), dict[str, Any]()
    for column in _NAMES:
        for key in _find_keys(row, column):
            value = left[key]
            if value is not None and value != "":
                found[column] = left.pop(key)
                break
    if isinstance(time := found.get("time"), str):
        found["time"] = _SLASHES.sub(r"\1-\2-\3", time.strip())  # as Disco writes times
    return {**left, "process": found}


EVENT_LOG = Format(
    name="event_log",
    title="event of a process",
    shape=Shape(
        "a case, an activity and a time: `case:concept:name`, `concept:name` and `time:timestamp`, or `Case ID`, "
        "`Activity` and `Complete Timestamp`, `Start Timestamp` or `Timestamp`; XES files are read as such rows",
        test=_is_event_log,
    ),
    columns=Columns(
        event_id=("identity:id",),
        event_name=("process.activity",),
        session_id=("process.case",),
        user_id=("process.user",),
        event_at=("process.time",),
    ),
    drop=("process",),
    normalize=_name_columns,
    becomes="one event; its case is the session, and `user_id` or its resource is the user",
    example={
        "case:concept:name": "case-1",
        "concept:name": "Check request",
        "time:timestamp": "2026-03-02T09:15:00+00:00",
        "org:resource": "Ada",
        "lifecycle:transition": "complete",
        "case:channel": "email",
    },
)

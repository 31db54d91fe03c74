"""Fields: the type of each metadata field with its reason, and a drop-down to set another."""

from collections.abc import Mapping

from turret_pipeline.clock import now
from turret_pipeline.dashboard.page import Content, Page
from turret_pipeline.dashboard.tables import ColumnView, TableView
from turret_pipeline.reports.field_types import (
    ContradictedTypeError,
    describe_pending_types,
    list_fields,
    set_field_type,
)
from turret_pipeline.tables import FIELD_TYPES

COMMAND = "run turret fields set NAME"
"""The advice of a reason that the drop-down beside it makes simpler."""

COLUMNS = (
    ColumnView("field", "Field"),
    ColumnView("type", "Type"),
    ColumnView("reason", "Reason", words=lambda row: row["reason"].replace(COMMAND, "set it to")),
    ColumnView("example_values", "Examples"),
    ColumnView(
        "event_count",
        "Events",
        "count",
        hint=lambda row: f"{row['validated_event_count']:,} of {row['event_count']:,} values fit the type",
    ),
    ColumnView("present_share", "Of all events", "share"),
    ColumnView("distinct_count", "Distinct values", "count"),
    ColumnView("number_min", "Smallest", "number"),
    ColumnView("number_mean", "Mean", "number"),
    ColumnView("number_max", "Largest", "number"),
)
DETECT = "(detect)"
"""The choice that removes a type that a person set."""


def show_fields(page: Page) -> Content:
    """The page of the fields."""
    frame = page.published.remember("fields", lambda: list_fields(page.published))
    table = TableView("fields", "Metadata fields", frame, COLUMNS, "No event has metadata.", rows_shown=1000)
    overridden = page.project.data.field_overrides.read()
    values = {
        "types": FIELD_TYPES,
        "detect": DETECT,
        "overridden": {name: override.type for name, override in overridden.items()},
        "fixed": page.project.settings.field_types,
        "pending": describe_pending_types(page.published, page.project.settings),
        "objection": page.state.get("objection"),
        "refused": (page.state.get("field"), page.state.get("type")),
    }
    return Content("fields.html", "Fields", values, (table,))


def override_type(page: Page, form: Mapping[str, str]) -> str:
    """Set or remove the type of a field, and return the URL that shows it.

    If the values contradict the type, the page says so and asks again.
    """
    name, kind = form.get("field", ""), form.get("type", "")
    if kind == DETECT:
        page.project.data.field_overrides.unset(name)
        return page.state.to_page("fields")
    is_forced = form.get("force") == "yes"
    try:
        set_field_type(page.published, page.project.settings, name, kind, is_forced=is_forced, now=now())
    except ContradictedTypeError as error:
        return page.state.to_page("fields", objection=str(error), field=name, type=kind)
    return page.state.to_page("fields")

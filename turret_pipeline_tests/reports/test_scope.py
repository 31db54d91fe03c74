"""Segments and days as users type them."""

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.scope import format_segment, parse_moment, parse_segment


@pytest.mark.parametrize(
    ("field", "value"), [("plan", "team"), ("plan", "a=b"), ("a=b=c", "d"), ("a\\b", "\\=x"), ("plan", "")]
)
def test_a_segment_is_read_as_it_was_formatted(field: str, value: str) -> None:
    assert parse_segment(format_segment(field, value)) == (field, value)


def test_the_first_equals_sign_ends_the_field() -> None:
    assert parse_segment("plan=a=b") == ("plan", "a=b")


@pytest.mark.parametrize("text", ["", "plan", "=team", "plan\\=team"])
def test_invalid_segments_are_rejected(text: str) -> None:
    with pytest.raises(TurretError, match="Invalid segment"):
        parse_segment(text)


def test_days_beyond_the_calendar_are_rejected() -> None:
    with pytest.raises(TurretError, match="years 2 to 9998"):
        parse_moment("9999-12-31", is_end=True)
    with pytest.raises(TurretError, match="years 2 to 9998"):
        parse_moment("0001-01-01T00:00+05:00")

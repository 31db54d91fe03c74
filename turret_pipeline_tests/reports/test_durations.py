"""Durations that users type."""

import pytest

from turret_pipeline.errors import TurretError
from turret_pipeline.reports.durations import parse_duration


def test_a_duration_is_a_number_and_a_unit() -> None:
    assert [parse_duration(text) for text in ("90s", "30m", " 1.5 h", "1d")] == [90, 1800, 5400, 86_400]


@pytest.mark.parametrize("text", ["", "0m", "2", "h", "-1h", "2w", "1e9s", "9" * 40 + "d", "\u0663m"])
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(TurretError, match="use 90s, 30m, 2h or 1d"):
        parse_duration(text)

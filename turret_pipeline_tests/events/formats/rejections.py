"""Rejections of rows, for tests."""

import pytest

from turret_pipeline.events.formats import Format, Rejection, parse_record


def rejection_of(record: object, selected: Format | None = None) -> tuple[str, str]:
    """Code and reason of the rejection of a row."""
    with pytest.raises(Rejection) as caught:
        parse_record(record, selected)
    return caught.value.code, caught.value.reason

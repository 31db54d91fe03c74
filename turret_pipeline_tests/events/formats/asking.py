"""What a row becomes, and with what words it is refused."""

import pytest

from turret_pipeline.events.formats import Format, Rejection, parse_record


def refusal(record: object, chosen: Format | None = None) -> tuple[str, str]:
    """Code and sentence of the refusal of a row."""
    with pytest.raises(Rejection) as caught:
        parse_record(record, chosen)
    return caught.value.code, caught.value.reason

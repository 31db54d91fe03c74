"""Names and paths in the messages of errors."""

import pytest

from turret_pipeline.errors import NAMES_SHOWN, list_names

MANY = [f"key_{number}" for number in range(400_000)]


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        ([], "none"),
        (["plan"], "plan"),
        (["plan", "prompt"], "plan, prompt"),
        (MANY[:NAMES_SHOWN], ", ".join(MANY[:NAMES_SHOWN])),
        (MANY, f"{', '.join(MANY[:NAMES_SHOWN])} and 399,980 more"),
    ],
)
def test_a_message_lists_some_names_and_the_number_of_others(names: list[str], listed: str) -> None:
    assert list_names(names) == listed
